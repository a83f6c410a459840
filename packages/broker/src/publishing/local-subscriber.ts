import { parseSharedFilter } from "@tidewire/codec";
import type { Message } from "@tidewire/session";
import type { Delivery, IncomingPublication } from "../messages/index.ts";
import type { RetainedMessages } from "../retained/index.ts";
import { Readiness, type Router, type Subscriber, Subscription } from "../routing/index.ts";

/** What a local subscriber needs of its broker. */
export interface LocalSubscriberNeeds {
  readonly retained: Pick<RetainedMessages, "match" | "read">;
  readonly router: Pick<Router, "add" | "remove">;
  /** Calls what the application gave; a failure there is reported and changes nothing here. */
  notify(name: string, call: () => void): void;
}

/** A subscription of the program that the broker runs in. */
export interface LocalSubscription {
  unsubscribe(): void;
}

/** Called with each message; its payload is to be copied if it is kept. */
export type LocalMessageHandler = (message: Message) => void;

export class LocalSubscriber implements Subscriber, LocalSubscription {
  readonly clientId = undefined;
  readonly #needs: LocalSubscriberNeeds;
  readonly #handler: LocalMessageHandler;
  readonly #filter: string;
  readonly #group: string | undefined;
  readonly #subscription: Subscription;
  #active = true;

  constructor(needs: LocalSubscriberNeeds, filter: string, handler: LocalMessageHandler) {
    this.#needs = needs;
    this.#handler = handler;
    const shared = parseSharedFilter(filter);
    this.#filter = shared?.filter ?? filter;
    this.#group = shared?.group;
    this.#subscription = new Subscription(this, {
      filter,
      qos: 2,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      subscriptionIdentifier: undefined,
    });
    needs.router.add(this.#subscription, this.#filter, this.#group);
  }

  readiness(): Readiness {
    return Readiness.READY;
  }

  deliver(publication: IncomingPublication): void {
    const { topic, payload, qos, properties } = publication;
    this.#give({ topic, payload, qos, retain: false, properties });
  }

  redeliver(delivery: Delivery): void {
    const { topic, payload, qos, publication } = delivery;
    this.#give({ topic, payload, qos, retain: false, properties: publication.properties });
  }

  sendRetained(): void {
    if (this.#group !== undefined) {
      return;
    }
    const { retained } = this.#needs;
    const entries = retained.match(this.#filter);
    for (let found = entries.next(); found.done !== true; found = entries.next()) {
      const publication = retained.read(found.value.topic);
      if (publication !== undefined) {
        const { topic, payload, qos, properties } = publication;
        this.#give({ topic, payload, qos, retain: true, properties });
      }
    }
  }

  unsubscribe(): void {
    if (this.#active) {
      this.#active = false;
      this.#needs.router.remove(this.#subscription, this.#filter, this.#group);
    }
  }

  #give(message: Message): void {
    if (this.#active) {
      this.#needs.notify("message handler", () => this.#handler(message));
    }
  }
}
