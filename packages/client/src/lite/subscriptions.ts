import { matches, type PublishPacket, type SubscriptionRequest } from "@tidewire/codec";
import { ClientError, requestError } from "../errors/index.ts";
import type { Done, SocketConnection } from "../socket/index.ts";
import type { LiteMessage, LiteSubscribeOptions, LiteSubscription } from "./lite-client.ts";

interface Entry {
  readonly request: SubscriptionRequest;
  /** Tells whose copy of a message it is, where the server knows such identifiers. */
  readonly identifier: number;
  readonly onMessage: (message: LiteMessage) => void;
}

/** What is subscribed to, over all connections, and whom messages are for. */
export class Subscriptions {
  readonly #report: (error: ClientError) => void;
  /** By topic filter. */
  readonly #wanted = new Map<string, Entry>();
  /**
   * What the server has not answered, in order: to be subscribed to while it is wanted, else unsubscribed from. Nobody
   * waits for the answer when a subscription is made again.
   */
  readonly #open = new Map<Entry, Done | undefined>();
  #connection: SocketConnection | undefined;
  #identifiers = 0;

  constructor(report: (error: ClientError) => void) {
    this.#report = report;
  }

  subscribe(filter: string, options: LiteSubscribeOptions): Promise<LiteSubscription> {
    const { qos = 1, noLocal = false, retainAsPublished = false, retainHandling = 0, onMessage } = options;
    return new Promise((resolve, reject) => {
      if (this.#wanted.has(filter)) {
        throw new ClientError("invalid-argument", "This filter is subscribed to already.");
      }
      const request = { filter, qos, noLocal, retainAsPublished, retainHandling };
      this.#identifiers += 1;
      const entry = { request, identifier: this.#identifiers, onMessage };
      this.#wanted.set(filter, entry);
      this.#ask(entry, (result) => {
        const error = this.#refusal(entry, result);
        if (error !== undefined) {
          reject(error);
        } else {
          resolve({ granted: [result as number], unsubscribe: () => this.#unsubscribe(entry) });
        }
      });
    });
  }

  /** Whose message it is: of those that match, the ones that the server names, where it names any. */
  receivers({ topic, properties }: PublishPacket): readonly Entry[] {
    const matching = [...this.#wanted.values()].filter(({ request }) => matches(request.filter, topic));
    const named = matching.filter(({ identifier }) => properties?.subscriptionIdentifiers?.includes(identifier));
    return named.length > 0 ? named : matching;
  }

  online(connection: SocketConnection, sessionPresent: boolean): void {
    this.#connection = connection;
    if (!sessionPresent) {
      for (const entry of this.#wanted.values()) {
        if (!this.#open.has(entry)) {
          this.#open.set(entry, undefined);
        }
      }
    }
    for (const entry of this.#open.keys()) {
      if (sessionPresent || this.#wants(entry)) {
        this.#send(connection, entry);
      } else {
        this.#answered(entry, 0);
      }
    }
  }

  close(error: ClientError): void {
    for (const done of this.#open.values()) {
      done?.(error);
    }
  }

  #unsubscribe(entry: Entry): Promise<void> {
    if (!this.#wants(entry)) {
      return Promise.resolve();
    }
    this.#wanted.delete(entry.request.filter);
    return new Promise((resolve, reject) => {
      this.#ask(entry, (result) => (typeof result === "object" ? reject(result) : resolve()));
    });
  }

  #wants(entry: Entry): boolean {
    return this.#wanted.get(entry.request.filter) === entry;
  }

  #ask(entry: Entry, done: Done): void {
    this.#open.set(entry, done);
    const connection = this.#connection;
    if (connection !== undefined && connection.ended === undefined) {
      this.#send(connection, entry);
    }
  }

  #send(connection: SocketConnection, entry: Entry): void {
    const { request, identifier } = entry;
    const done = this.#open.get(entry);
    const answered = (result: number | ClientError): void => {
      // What a connection takes with it is asked anew on the next one; and it may be about something else by now.
      if (connection.ended === undefined && this.#open.get(entry) === done) {
        this.#answered(entry, result);
      }
    };
    try {
      if (this.#wants(entry)) {
        connection.subscribe(request, identifier, answered);
      } else {
        connection.unsubscribe(request.filter, answered);
      }
    } catch (cause) {
      this.#answered(entry, requestError(cause));
    }
  }

  #answered(entry: Entry, result: number | ClientError): void {
    const done = this.#open.get(entry);
    this.#open.delete(entry);
    if (done !== undefined) {
      done(result);
      return;
    }
    const error = this.#refusal(entry, result);
    if (error !== undefined) {
      this.#report(error);
    }
  }

  /** Why a filter was not granted: it is not wanted any more then. */
  #refusal(entry: Entry, result: number | ClientError): ClientError | undefined {
    if (typeof result === "number" && result < 0x80) {
      return undefined;
    }
    if (this.#wants(entry)) {
      this.#wanted.delete(entry.request.filter);
    }
    if (typeof result === "object") {
      return result;
    }
    return new ClientError("subscribe-refused", "The server refused the topic filter.", { reasonCode: result });
  }
}
