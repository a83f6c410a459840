import type { Link } from "@tidewire/link";
import type { ClientSession } from "@tidewire/session";
import { ClientError } from "./errors.ts";
import type { OperationOptions } from "./interfaces.ts";
import type { PendingCalls, Settle } from "./pending-calls.ts";
import { invalidArgument } from "./session-errors.ts";

/** Calls of `reauthenticate`: each ends with the exchange, or with the connection that it was begun on. */
export class Reauthentication {
  readonly #calls: PendingCalls;
  readonly #waiting = new Set<Settle<void>>();

  constructor(calls: PendingCalls) {
    this.#calls = calls;
  }

  begin(link: Link<ClientSession> | undefined, options: OperationOptions | undefined): Promise<void> {
    if (link === undefined) return Promise.reject(new ClientError("connection-lost", "There is no connection."));
    return this.#calls.run<void>(options, (settle) => {
      this.#waiting.add(settle);
      try {
        link.session.reauthenticate(link.loop.now);
        link.touch();
      } catch (error) {
        settle.reject(invalidArgument(error));
      }
      return () => this.#waiting.delete(settle);
    });
  }

  succeeded(): void {
    for (const settle of this.#take()) settle.resolve();
  }

  lost(error: ClientError): void {
    for (const settle of this.#take()) settle.reject(error);
  }

  #take(): readonly Settle<void>[] {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }
}
