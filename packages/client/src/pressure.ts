import type { Link } from "@tidewire/link";
import type { Consumer } from "./subscription.ts";

/**
 * Real backpressure: while a consumer's buffer is full the connection is not read, and the server has to wait. Not so
 * while an answer from the server is outstanding: a consumer that waits for one before it takes its next message
 * would never get it.
 */
export class Pressure {
  readonly #awaitsAnswer: () => boolean;
  readonly #full = new Set<Consumer>();
  #link: Link | undefined;
  #paused = false;

  constructor(awaitsAnswer: () => boolean) {
    this.#awaitsAnswer = awaitsAnswer;
  }

  online(link: Link): void {
    this.#link = link;
    this.#paused = false;
    this.update();
  }

  offline(): void {
    this.#link = undefined;
  }

  /** A consumer's buffer has become full, or has room again. */
  readonly changed = (consumer: Consumer): void => {
    if (consumer.full) this.#full.add(consumer);
    else this.#full.delete(consumer);
    this.update();
  };

  /** Call when an answer begins or ceases to be awaited. */
  update(): void {
    const pause = this.#full.size > 0 && !this.#awaitsAnswer();
    if (this.#link === undefined || pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#link.pause();
    else this.#link.resume();
  }
}
