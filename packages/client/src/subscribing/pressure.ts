import type { Link } from "@tidewire/link";
import type { ClientProtocol } from "@tidewire/session";
import type { Consumer } from "./consumer.ts";

/** What backpressure needs of the client around it. */
export interface PressureHost {
  /** The connection in force. */
  readonly link: Link<ClientProtocol> | undefined;
}

/**
 * Real backpressure: while a consumer's buffer is full the connection is not read, and the server has to wait. Not so
 * while an answer from the server is outstanding: a consumer that waits for one before it takes its next message
 * would never get it.
 */
export class Pressure {
  readonly #host: PressureHost;
  readonly #awaitsAnswer: () => boolean;
  readonly #full = new Set<Consumer>();
  #paused: Link | undefined;

  constructor(host: PressureHost, awaitsAnswer: () => boolean) {
    this.#host = host;
    this.#awaitsAnswer = awaitsAnswer;
  }

  /** A consumer's buffer has become full, or has room again. */
  readonly changed = (consumer: Consumer): void => {
    if (consumer.full) {
      this.#full.add(consumer);
    } else {
      this.#full.delete(consumer);
    }
    this.update();
  };

  /** Call when an answer begins or ceases to be awaited, and with each connection. */
  update(): void {
    const link = this.#full.size > 0 && !this.#awaitsAnswer() ? this.#host.link : undefined;
    if (link === this.#paused) {
      return;
    }
    this.#paused?.resume();
    link?.pause();
    this.#paused = link;
  }
}
