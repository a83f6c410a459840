import type { LinkLoop } from "@tidewire/link";

/**
 * Wall-clock time, read once per turn: expiry that is stored must mean the same after a restart. It never goes back:
 * when the system's clock is set back, time here goes on from where it was, so that nothing lives longer for it. A
 * clock that is set forward cannot be told from a machine that slept, and counts as time that passed.
 */
export class Clock {
  readonly #loop: LinkLoop;
  readonly #wallClock: () => number;
  #turn = Number.NaN;
  #nowMs = Number.NEGATIVE_INFINITY;
  /** By how much the system's clock was set back. */
  #shiftMs = 0;

  constructor(loop: LinkLoop, wallClock: () => number) {
    this.#loop = loop;
    this.#wallClock = wallClock;
  }

  nowMs(): number {
    const turn = this.#loop.now;
    if (turn !== this.#turn) {
      let nowMs = this.#wallClock() + this.#shiftMs;
      if (nowMs < this.#nowMs) {
        const due = this.#nowMs + turn - this.#turn;
        this.#shiftMs += due - nowMs;
        nowMs = due;
      }
      this.#turn = turn;
      this.#nowMs = nowMs;
    }
    return this.#nowMs;
  }
}
