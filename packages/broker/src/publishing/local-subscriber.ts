import { parseSharedFilter } from "@tidewire/codec";
import type { Message } from "@tidewire/session";
import { READ_STEPS, TURN_STEPS } from "../limits.ts";
import type { Delivery, IncomingPublication } from "../messages/index.ts";
import type { RetainedEntry, RetainedMessages, TopicWalk } from "../retained/index.ts";
import { type Backlog, Readiness, type Router, type Subscriber, Subscription } from "../routing/index.ts";
import type { Job, Steps, Work } from "../work/index.ts";

/** What a local subscriber needs of its broker. */
export interface LocalSubscriberNeeds {
  readonly retained: Pick<RetainedMessages, "match" | "read">;
  readonly router: Pick<Router, "add" | "remove">;
  readonly work: Pick<Work, "start">;
  /** Calls what the application gave; a failure there is reported and changes nothing here. */
  notify(name: string, call: () => void): void;
}

/** A subscription of the program that the broker runs in. */
export interface LocalSubscription {
  unsubscribe(): void;
}

/** Called with each message; its payload is to be copied if it is kept. */
export type LocalMessageHandler = (message: Message) => void;

export class LocalSubscriber implements Subscriber, LocalSubscription, Job {
  readonly clientId = undefined;
  readonly #needs: LocalSubscriberNeeds;
  readonly #handler: LocalMessageHandler;
  readonly #filter: string;
  readonly #group: string | undefined;
  readonly #subscription: Subscription;
  /** Retained messages that are still to come. */
  #retained: TopicWalk<Readonly<RetainedEntry>> | undefined;
  /** Where messages wait that it may take. */
  #backlog: Backlog | undefined;
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

  help(backlog: Backlog): void {
    this.#backlog = backlog;
    this.#needs.work.start(this);
  }

  /** Nothing ever waits here. */
  giveUp(): undefined {}

  /** Begins to; of many, others have their turn meanwhile. */
  sendRetained(): void {
    if (this.#group === undefined) {
      this.#retained = this.#needs.retained.match(this.#filter);
      if (!this.work({ left: TURN_STEPS })) {
        this.#needs.work.start(this);
      }
    }
  }

  /** First what waits with others, then retained messages: no subscription has both. */
  work(steps: Steps): boolean {
    while (this.#active && steps.left > 0) {
      steps.left -= READ_STEPS;
      const delivery = this.#backlog?.take(this);
      if (delivery !== undefined) {
        this.redeliver(delivery);
        continue;
      }
      const entry = this.#retained?.next(steps);
      if (entry === undefined) {
        return this.#retained?.done ?? true;
      }
      const publication = this.#needs.retained.read(entry.topic);
      if (publication !== undefined) {
        const { topic, payload, qos, properties } = publication;
        this.#give({ topic, payload, qos, retain: true, properties });
      }
    }
    return !this.#active;
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
