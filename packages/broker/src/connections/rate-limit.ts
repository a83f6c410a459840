/** A token bucket: so many a second, with one second's worth of burst or another. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number, burst: number = perSecond) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** False when there is none left. */
  take(now: number): boolean {
    this.#fill(now);
    if (this.#tokens < 1) {
      return false;
    }
    this.#tokens -= 1;
    return true;
  }

  isEmpty(now: number): boolean {
    this.#fill(now);
    return this.#tokens < 1;
  }

  /** Whether it is as if nobody had ever taken from it. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= this.#burst;
  }

  #fill(now: number): void {
    const filled = ((now - this.#filledAt) / 1000) * this.#perSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + filled);
    this.#filledAt = now;
  }
}
