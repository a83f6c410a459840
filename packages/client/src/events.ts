import { ClientError } from "./errors.ts";
import type { ClientEvents, Message, Status, StatusDetail } from "./interfaces.ts";

/** The listeners of a client. None of them can break it: what one throws is reported, to the console at last. */
export class Events {
  readonly #listeners: { readonly [Event in keyof ClientEvents]: Set<ClientEvents[Event]> } = {
    status: new Set(),
    message: new Set(),
    error: new Set(),
  };

  /** A new listener for messages is told of `waiting` ones first. */
  on<Event extends keyof ClientEvents>(
    event: Event,
    listener: ClientEvents[Event],
    waiting: readonly Message[] = [],
  ): () => void {
    const listeners = this.#listeners[event];
    listeners.add(listener);
    if (event === "message")
      for (const message of waiting) this.#guard(() => (listener as ClientEvents["message"])(message));
    return () => {
      listeners.delete(listener);
    };
  }

  status(status: Status, detail: StatusDetail): void {
    for (const listener of this.#listeners.status) this.#guard(() => listener(status, detail));
  }

  message(message: Message): void {
    for (const listener of this.#listeners.message) this.#guard(() => listener(message));
  }

  has(event: keyof ClientEvents): boolean {
    return this.#listeners[event].size > 0;
  }

  readonly error = (error: ClientError): void => {
    const listeners = this.#listeners.error;
    // What nobody listens for should still be found by whoever looks for it.
    if (listeners.size === 0) console.error(error);
    for (const listener of listeners) {
      try {
        listener(error);
      } catch (cause) {
        console.error(cause);
      }
    }
  };

  /** The end of the client, which listeners for the status are told anyway. */
  gaveUp(error: ClientError): void {
    if (this.#listeners.error.size > 0 || this.#listeners.status.size === 0) this.error(error);
  }

  #guard(call: () => void): void {
    try {
      call();
    } catch (cause) {
      this.error(new ClientError("handler-failed", "A listener threw.", { cause }));
    }
  }
}
