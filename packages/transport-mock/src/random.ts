/** Seeded numbers (xorshift32): the same seed gives the same run on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    // The generator stays at zero for ever when it starts there.
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) | 0 || 1;
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return min + ((state >>> 0) % (max - min + 1));
  }
}
