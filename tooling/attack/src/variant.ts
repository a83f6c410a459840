import type { ProtocolVersion } from "@tidewire/codec";
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

export interface ServerNeeds {
  readonly arguments?: readonly string[];
  readonly nodeArguments?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What its users' hashes cost, as a power of two; 15 is what `tidewire passwd` writes, 10 unless told. */
  readonly passwordCostLog2?: number;
  /** Lines of its rules file that are left out. */
  readonly without?: readonly string[];
}

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
