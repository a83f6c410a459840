// The switch that every changed place asks, loaded before a test file. It notes which places a test comes by, and stops
// a mutant that runs in circles by counting, not by the clock.

/** How often a place may be asked in one test: many times what it is without a mutant, so that only circles end here. */
const PATIENCE = 50;
const LEAST_ASKED = 100_000;

class RunsInCircles extends Error {
  name = "RunsInCircles";
}

export class Switch {
  #active = -1;
  #asked = 0;
  #most = Number.POSITIVE_INFINITY;
  #seen = new Set();

  /** Is this mutant on? */
  at = (id) => {
    this.#asked += 1;
    if (this.#active >= 0) {
      if (this.#asked > this.#most) {
        throw new RunsInCircles(`mutant ${this.#active} runs in circles`);
      }
      return id === this.#active;
    }
    this.#seen.add(id);
    return false;
  };

  /** All off; notes who asks. */
  watch() {
    this.#active = -1;
    this.#asked = 0;
    this.#seen = new Set();
  }

  /** @returns {{ seen: Set<number>, asked: number }} Since `watch`. */
  watched() {
    return { seen: this.#seen, asked: this.#asked };
  }

  /** Turns one on, for a test that asks `usually` times without it. */
  turnOn(id, usually) {
    this.#active = id;
    this.#asked = 0;
    this.#most = usually * PATIENCE + LEAST_ASKED;
  }

  get ranInCircles() {
    return this.#asked > this.#most;
  }
}
