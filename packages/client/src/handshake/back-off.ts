import type { ReconnectOptions } from "./connect-options.ts";

/**
 * How long to wait before the next attempt: exponential with full jitter, so that clients which lost their server
 * together do not come back together.
 */
export class BackOff {
  readonly #minDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #stableAfterMs: number;
  readonly #random: () => number;
  #attempts = 0;

  constructor(options: ReconnectOptions = {}) {
    this.#minDelayMs = options.minDelayMs ?? 1_000;
    this.#maxDelayMs = options.maxDelayMs ?? 30_000;
    this.#stableAfterMs = options.stableAfterMs ?? 10_000;
    this.#random = options.random ?? Math.random;
  }

  /** Waits handed out since the last stable connection. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Milliseconds until the next attempt. */
  next(): number {
    const bound = Math.min(this.#maxDelayMs, this.#minDelayMs * 2 ** this.#attempts);
    this.#attempts += 1;
    return Math.floor(this.#random() * bound);
  }

  /** A connection ended. Only one that lasted counts: a server that accepts and drops must not be hammered. */
  ended(lastedMs: number): void {
    if (lastedMs >= this.#stableAfterMs) {
      this.#attempts = 0;
    }
  }
}
