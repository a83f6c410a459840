import type { Connection, Dial } from "@tidewire/transport";
import { check } from "../failure.ts";
import type { TransportPeer } from "./peer.ts";

/** What a case works with: made afresh for each. */
export interface TransportHarness {
  /** Opens a connection: the end under test, not started, and a peer that reads until told otherwise. */
  connect(): Promise<ConnectedPair>;
  /** A dial of the transport under test to where `connect` goes. */
  readonly dial: Dial;
  /** A dial to an address where nobody listens. */
  readonly dialNowhere: Dial;
  /** Stops to listen. */
  closeListener(): Promise<void>;
  /** Breaks the connection from outside; needs the capability `cut`. */
  cut(pair: ConnectedPair): void;
  /** Sends so many bytes of a message that is not finished to the end under test; needs the capability `unfinished`. */
  sendUnfinished(pair: ConnectedPair, bytes: number): void;
  /** Another listener of the same kind, which must have nothing in common with this one. */
  sibling(): Promise<TransportHarness>;
  /** Lets time pass, real or virtual; 0 is one turn of the event loop. */
  pass(ms: number): Promise<void>;
  /** The marks that connections of this harness were made with. */
  readonly marks: { readonly high: number; readonly low: number };
  /** What `close` allows the peer. */
  readonly closeTimeoutMs: number;
  /** What an accepted connection holds of an unfinished message before `allowInput`; needs `first-input`. */
  readonly firstInputBytes: number;
}

export interface ConnectedPair {
  readonly connection: Connection;
  readonly peer: TransportPeer;
}

/**
 * What a transport can show that others cannot:
 * - `cut`: the harness can break a connection from outside
 * - `abort-visible`: the peer of an abort sees that it was none of the orderly ends (a TCP reset, say)
 * - `pause`: the end under test can stop its peer from sending (browsers cannot)
 * - `peer-pause`: the peer can stop the end under test
 * - `abort-drops`: `abort` throws away what was buffered (browsers do not)
 * - `close-timeout`: a peer that never reads is cut off
 * - `refusal`: a dial to a closed port is told so
 * - `unfinished`: the harness can send a part of a message, which the end under test has to hold
 * - `first-input`: the same, and the end under test was accepted
 */
export type TransportCapability =
  | "cut"
  | "abort-visible"
  | "abort-drops"
  | "pause"
  | "peer-pause"
  | "close-timeout"
  | "refusal"
  | "unfinished"
  | "first-input";

/** Waits until the condition holds, in the time of the harness. */
export async function until(
  harness: TransportHarness,
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 15_000,
): Promise<void> {
  let stepMs = 1;
  for (let passedMs = 0; passedMs < limitMs; passedMs += stepMs, stepMs = Math.min(2 * stepMs, 50)) {
    if (await condition()) {
      return;
    }
    await harness.pass(stepMs);
  }
  check(await condition(), `never happened: ${what}`);
}

/** Lets everything that is on its way arrive. For cases in which nothing may come: a little time has to do. */
export function quiet(harness: TransportHarness): Promise<void> {
  return harness.pass(60);
}
