import { parseSharedFilter } from "@tidewire/codec";
import type { Message } from "@tidewire/session";
import type { Delivery } from "./delivery.ts";
import type { IncomingPublication } from "./publication.ts";
import type { RetainedMessages } from "./retained.ts";
import type { Router } from "./router.ts";
import { Readiness, type RouteTarget, type Subscriber, Subscription } from "./subscription.ts";

/** A subscription of the program that the broker runs in. */
export interface LocalSubscription {
  unsubscribe(): void;
}

/** Called with each message; its payload is to be copied if it is kept. */
export type LocalMessageHandler = (message: Message) => void;

export class LocalSubscriber implements Subscriber, LocalSubscription {
  readonly clientId = undefined;
  readonly #router: Router;
  readonly #handler: LocalMessageHandler;
  readonly #filter: string;
  readonly #group: string | undefined;
  readonly #subscription: Subscription;
  #active = true;

  constructor(router: Router, filter: string, handler: LocalMessageHandler) {
    this.#router = router;
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
    router.add(this.#subscription, this.#filter, this.#group);
  }

  readiness(): Readiness {
    return Readiness.READY;
  }

  deliver(publication: IncomingPublication): void {
    const { topic, payload, qos, properties } = publication;
    this.#give({ topic, payload, qos, retain: false, properties });
  }

  redeliver(delivery: Delivery, _target: RouteTarget): void {
    const { topic, payload, qos, publication } = delivery;
    this.#give({ topic, payload, qos, retain: false, properties: publication.properties });
  }

  sendRetained(retained: RetainedMessages): void {
    if (this.#group !== undefined) {
      return;
    }
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
      this.#router.remove(this.#subscription, this.#filter, this.#group);
    }
  }

  #give(message: Message): void {
    if (this.#active) {
      this.#handler(message);
    }
  }
}
