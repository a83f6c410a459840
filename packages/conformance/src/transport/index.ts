import { closingCases } from "./cases/closing.ts";
import { dataCases } from "./cases/data.ts";
import type { TransportCase } from "./cases/define.ts";
import { diallingCases } from "./cases/dialling.ts";
import { inputCases } from "./cases/input.ts";
import { pausingCases } from "./cases/pausing.ts";
import { pressureCases } from "./cases/pressure.ts";
import { throwingCases } from "./cases/throwing.ts";

export type { TransportCase } from "./cases/define.ts";
export type { ConnectedPair, TransportCapability, TransportHarness } from "./harness.ts";
export { LoopbackHarness, type LoopbackOptions, type LoopbackTransport, loopbackTarget } from "./loopback.ts";
export { LocalPeer, type PeerStatus, type TransportPeer } from "./peer.ts";
export { type Saboteur, saboteurs } from "./saboteurs.ts";

/** The contract of a transport, as cases: every transport passes all of them. */
export const transportCases: readonly TransportCase[] = [
  ...dataCases,
  ...pressureCases,
  ...pausingCases,
  ...inputCases,
  ...closingCases,
  ...diallingCases,
  ...throwingCases,
];
