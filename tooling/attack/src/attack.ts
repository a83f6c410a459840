import type { ProtocolVersion } from "@tidewire/codec";
import type { Context } from "./context.ts";
import type { Transport } from "./program.ts";

/** Where and how an attack is run. */
export interface Variant {
  readonly transport: Transport;
  readonly version: ProtocolVersion;
  /** Whether the broker has users and rules. */
  readonly access: boolean;
  readonly store: "memory" | "lmdb";
}

/** What an attack may be run on: each dimension's values that make sense for it. */
export interface Dimensions {
  readonly transports: readonly Transport[];
  readonly versions: readonly ProtocolVersion[];
  readonly access: readonly boolean[];
  readonly stores: readonly Variant["store"][];
}

/** One hostile input or situation: what is done, and what must be seen. */
export interface Attack {
  /** `26`, or `26.2` for a further one of the same number; see docs/security-model.md. */
  readonly id: string;
  readonly title: string;
  /** In words, for the table. */
  readonly expected: string;
  /** What is left out of `ALL_DIMENSIONS` makes no difference to it. */
  readonly on?: Partial<Dimensions>;
  /** Done in well under a second: part of the short form. */
  readonly cheap?: boolean;
  /** What its program needs beside the usual; it then gets one of its own. */
  readonly server?: ServerNeeds;
  /** Whether it starts its programs by itself, so that there is nothing to measure. */
  readonly standsAlone?: boolean;
  readonly bounds?: Partial<Bounds>;
  run(context: Context): Promise<void>;
}

export interface ServerNeeds {
  readonly arguments?: readonly string[];
  readonly nodeArguments?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What its users' hashes cost, as a power of two; 15 is what `tidewire passwd` writes, 10 unless told. */
  readonly passwordCostLog2?: number;
  /** Lines of its rules file that are left out. */
  readonly without?: readonly string[];
}

/** What an attack may cost all others. */
export interface Bounds {
  /** The longest turn of the loop, in processor time without the collector's. */
  readonly blockMs: number;
  /** Growth of the resident memory at its peak. */
  readonly memoryMb: number;
  /** Of the canaries' round trips, as a multiple of what it was before. */
  readonly p99Factor: number;
  /** Processor time in all, where it is known what an attack may cost. */
  readonly cpuMs: number;
}

export const DEFAULT_BOUNDS: Bounds = { blockMs: 10, memoryMb: 100, p99Factor: 2, cpuMs: Number.POSITIVE_INFINITY };

export const ALL_DIMENSIONS: Dimensions = {
  transports: ["tcp", "tls", "ws", "wss"],
  versions: [5, 4],
  access: [true, false],
  stores: ["memory", "lmdb"],
};

/** For attacks below MQTT, on the WebSocket. */
export const WEBSOCKET: Partial<Dimensions> = { transports: ["ws", "wss"], versions: [5] };

export const V5: Partial<Dimensions> = { versions: [5] };

/** For attacks with properties of their own that have nothing to do with the way the bytes come. */
export const ONE_TRANSPORT: Partial<Dimensions> = { transports: ["tcp"] };
