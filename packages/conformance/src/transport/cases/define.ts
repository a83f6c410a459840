import type { ConformanceCase } from "../../case.ts";
import type { ConnectedPair, TransportCapability, TransportHarness } from "../harness.ts";
import { Probe, type Reactions } from "../probe.ts";

export type TransportCase = ConformanceCase<TransportHarness>;

/** A case of the transport contract; no statement of MQTT has a number for it. */
export function defineCase(
  id: string,
  title: string,
  run: (harness: TransportHarness) => Promise<void>,
  needs: readonly TransportCapability[] = [],
): TransportCase {
  return { id: `transport/${id}`, title, statements: [], needs, run };
}

export interface ProbedPair extends ConnectedPair {
  readonly probe: Probe;
}

/** Connects, with a probe on the end under test; not started. */
export async function connectProbe(harness: TransportHarness, reactions?: Reactions): Promise<ProbedPair> {
  const pair = await harness.connect();
  return { ...pair, probe: new Probe(pair.connection, harness.marks, reactions) };
}
