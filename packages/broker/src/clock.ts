import type { LinkLoop } from "@tidewire/link";

/** Wall-clock time, read once per turn: expiry that is stored must mean the same after a restart. */
export class Clock {
  readonly #loop: LinkLoop;
  readonly #wallClock: () => number;
  #turn = Number.NaN;
  #nowMs = 0;

  constructor(loop: LinkLoop, wallClock: () => number) {
    this.#loop = loop;
    this.#wallClock = wallClock;
  }

  nowMs(): number {
    const turn = this.#loop.now;
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#nowMs = this.#wallClock();
    }
    return this.#nowMs;
  }
}
