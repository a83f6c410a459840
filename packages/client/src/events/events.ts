import { ClientError } from "../errors/index.ts";
import type { Message } from "../messages/index.ts";
import type { Status, StatusDetail } from "./status.ts";

/** Listeners by event name. */
export interface ClientEvents {
  /** After every change of `status`, and after every failed attempt. */
  status: (status: Status, detail: StatusDetail) => void;
  /** Every message received, whichever subscription it is for. */
  message: (message: Message) => void;
  /**
   * What no call can tell: handlers that threw, discarded messages, calls that failed while nobody held their promise.
   * That a connection was lost is told by `status`; that the client ended for good, here when nobody listens there.
   */
  error: (error: ClientError) => void;
}

/** The listeners of a client. None of them can break it: what one throws is reported, to the console at last. */
export class Events {
  readonly #listeners: { readonly [Event in keyof ClientEvents]: Set<ClientEvents[Event]> } = {
    status: new Set(),
    message: new Set(),
    error: new Set(),
  };

  on<Event extends keyof ClientEvents>(event: Event, listener: ClientEvents[Event]): () => void {
    this.#listeners[event].add(listener);
    return () => this.#listeners[event].delete(listener);
  }

  has(event: keyof ClientEvents): boolean {
    return this.#listeners[event].size > 0;
  }

  emit<Event extends keyof ClientEvents>(event: Event, ...details: Parameters<ClientEvents[Event]>): void {
    for (const listener of this.#listeners[event]) {
      this.tell(event, listener, ...details);
    }
  }

  /** Calls one listener. */
  tell<Event extends keyof ClientEvents>(
    event: Event,
    listener: ClientEvents[Event],
    ...details: Parameters<ClientEvents[Event]>
  ): void {
    try {
      (listener as (...details: unknown[]) => void)(...details);
    } catch (cause) {
      // Not reported to those who failed at a report.
      if (event === "error") {
        console.error(cause);
      } else {
        this.report(
          new ClientError("handler-failed", `A listener for "${event}" threw; \`cause\` is what.`, { cause }),
        );
      }
    }
  }

  readonly report = (error: ClientError): void => {
    // What nobody listens for should still be found by whoever looks for it.
    if (this.has("error")) {
      this.emit("error", error);
    } else {
      console.error(error);
    }
  };
}
