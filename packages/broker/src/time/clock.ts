import type { LinkLoop } from "@tidewire/link";

/**
 * The time by which sessions and messages expire, read once per turn. It begins where the store's time stands, or as
 * the wall clock does, and then counts what passes by a clock that nobody can set. A wall clock that is set, in
 * whichever direction, so ends nothing early and keeps nothing for longer.
 */
export class Clock {
  readonly #loop: Pick<LinkLoop, "now">;
  readonly #wallClock: () => number;
  /** What to add to the loop's time; undefined until somebody asks. */
  #offsetMs: number | undefined;

  constructor(loop: Pick<LinkLoop, "now">, wallClock: () => number) {
    this.#loop = loop;
    this.#wallClock = wallClock;
  }

  /** Undefined: from the wall clock. */
  goOnFrom(nowMs: number | undefined): void {
    this.#offsetMs = (nowMs ?? this.#wallClock()) - this.#loop.now;
  }

  nowMs(): number {
    this.#offsetMs ??= this.#wallClock() - this.#loop.now;
    return this.#loop.now + this.#offsetMs;
  }
}
