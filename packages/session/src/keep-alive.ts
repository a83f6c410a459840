/**
 * When a client asks for a sign of life, and how long it waits for one. PINGREQ goes when nothing was sent for the
 * keep-alive time [MQTT-3.1.2-20], and when nothing came for as long: a client that only publishes QoS 0 over a dead
 * connection would never notice otherwise.
 */
export class KeepAlive {
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  /** Time of the PINGREQ that has no PINGRESP yet; -1 for none. */
  #askedAt = -1;

  /** `intervalMs` 0 turns it off. */
  constructor(intervalMs: number, timeoutMs: number) {
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
  }

  /** PINGREQ was sent. Of several the first counts. */
  asked(now: number): void {
    if (this.#askedAt < 0) this.#askedAt = now;
  }

  answered(): void {
    this.#askedAt = -1;
  }

  pingDueAt(lastSent: number, lastReceived: number, held: boolean): number {
    if (this.#intervalMs === 0) return Number.POSITIVE_INFINITY;
    const silentSince = this.#askedAt >= 0 || held ? lastSent : Math.min(lastSent, lastReceived);
    return silentSince + this.#intervalMs;
  }

  /** When the peer counts as gone. Whatever came since PINGREQ shows that it is there. */
  lateAt(lastReceived: number, held: boolean): number {
    if (this.#askedAt < 0 || held) return Number.POSITIVE_INFINITY;
    return Math.max(this.#askedAt, lastReceived) + this.#timeoutMs;
  }
}
