import type { Connection } from "./connection.ts";

export interface DialOptions {
  readonly signal?: AbortSignalLike;
}

/** The part of `AbortSignal` that is used, so that this package needs no platform types. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Opens one connection; rejects with a `TransportError`. */
export type Dial = (options?: DialOptions) => Promise<Connection>;
