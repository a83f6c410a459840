import type { BrokerSession } from "./broker-session.ts";
import type { BrokerContext } from "./context.ts";
import { Delivery, grantedQoS } from "./delivery.ts";
import { DRAIN_BYTES, DRAIN_MESSAGES } from "./limits.ts";
import { isExpired } from "./publication.ts";
import type { RetainedEntry } from "./retained.ts";
import type { StoredSubscription } from "./store.ts";

/** The retained messages of one new subscription, on their way. */
interface RetainedCursor {
  readonly subscription: StoredSubscription;
  readonly entries: Iterator<Readonly<RetainedEntry>, undefined>;
  /** Found and not sent yet. */
  next: Delivery | undefined;
}

/** What became of one attempt to send the message in front. */
const Attempt = {
  /** Sent, or not to be sent at all: on to the next. */
  DONE: 0,
  /** Not now: whatever holds it up will call `run` again. */
  WAIT: 1,
} as const;
type Attempt = (typeof Attempt)[keyof typeof Attempt];

/**
 * Sends what waits for one session: QoS 0, then QoS 1 and 2 as far as the window goes, then retained messages of new
 * subscriptions. Stops when the connection is full, and between turns so that others get theirs.
 */
export class Drain {
  readonly #context: BrokerContext;
  readonly #session: BrokerSession;
  #cursors: RetainedCursor[] | undefined;
  #running = false;
  #scheduled = false;
  /** Whether `authorizeDelivery` is at work. */
  #asking = false;
  #messages = 0;
  #bytes = 0;

  constructor(context: BrokerContext, session: BrokerSession) {
    this.#context = context;
    this.#session = session;
  }

  addRetained(subscription: StoredSubscription): void {
    this.forgetRetained(subscription.filter);
    const { retained } = this.#context;
    if (!retained.mayMatch(subscription.filter)) {
      return;
    }
    this.#cursors ??= [];
    const entries = retained.match(subscription.filter);
    this.#cursors.push({ subscription, entries, next: undefined });
    this.run();
  }

  forgetRetained(filter: string): void {
    this.#cursors = this.#cursors?.filter((cursor) => cursor.subscription.filter !== filter);
  }

  run(): void {
    if (this.#running || this.#scheduled) {
      return;
    }
    this.#running = true;
    this.#messages = DRAIN_MESSAGES;
    this.#bytes = DRAIN_BYTES;
    try {
      this.#drainQueue(0);
      this.#drainQueue(1);
      this.#drainRetained();
    } finally {
      this.#running = false;
    }
    if (this.#messages <= 0 || this.#bytes <= 0) {
      this.#scheduled = true;
      this.#context.later(() => {
        this.#scheduled = false;
        this.run();
      });
    }
  }

  /**
   * Whether this client may have a message. Undefined while the answer is pending: the message has to wait in the queue
   * then, and only this client waits for it.
   */
  authorize(delivery: Delivery): boolean | undefined {
    const { hooks } = this.#context;
    if (hooks.authorizeDelivery === undefined) {
      return true;
    }
    if (delivery.allowed !== undefined || this.#asking) {
      return delivery.allowed;
    }
    try {
      const answer = hooks.authorizeDelivery(this.#session.client!, delivery);
      if (typeof answer === "boolean") {
        return answer;
      }
      this.#asking = true;
      answer
        .catch((error: unknown) => this.#failed(error))
        .then((allowed) => {
          this.#asking = false;
          delivery.allowed = allowed;
          this.run();
        });
      return undefined;
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** What is not for this client: another member of a shared subscription may be allowed to have it. */
  refuse(delivery: Delivery): void {
    if (delivery.sharedFilter !== undefined) {
      delivery.refusedBy = [...(delivery.refusedBy ?? []), this.#session];
      if (this.#session.passOn(delivery)) {
        return;
      }
    }
    this.#context.metrics.droppedUnauthorized += 1;
  }

  stop(): void {
    this.#cursors = undefined;
  }

  #drainQueue(lane: 0 | 1): void {
    const { queue } = this.#session;
    while (this.#messages > 0 && this.#bytes > 0 && (this.#session.connection?.canSend(lane) ?? false)) {
      const delivery = queue.peek(lane);
      if (delivery === undefined) {
        return;
      }
      if (isExpired(delivery.publication, this.#session.nowMs())) {
        this.#context.metrics.droppedExpired += 1;
        queue.drop(delivery);
        continue;
      }
      const allowed = this.authorize(delivery);
      if (allowed === undefined) {
        return;
      }
      if (allowed) {
        // Taken out first: what handlers do meanwhile must not find it here again.
        queue.take(delivery);
        this.#send(delivery);
      } else {
        queue.drop(delivery);
        this.refuse(delivery);
      }
    }
  }

  #drainRetained(): void {
    while (this.#cursors !== undefined && this.#messages > 0 && this.#bytes > 0) {
      const cursor = this.#cursors[0];
      if (cursor === undefined) {
        this.#cursors = undefined;
        return;
      }
      cursor.next ??= this.#nextRetained(cursor);
      if (cursor.next === undefined) {
        this.#cursors.shift();
      } else if (this.#sendRetained(cursor.next) === Attempt.WAIT) {
        return;
      } else {
        cursor.next = undefined;
      }
    }
  }

  #sendRetained(delivery: Delivery): Attempt {
    if (!(this.#session.connection?.canSend(delivery.qos) ?? false)) {
      return Attempt.WAIT;
    }
    const allowed = this.authorize(delivery);
    if (allowed === undefined) {
      return Attempt.WAIT;
    }
    if (allowed) {
      this.#send(delivery);
    } else {
      this.#context.metrics.droppedUnauthorized += 1;
    }
    return Attempt.DONE;
  }

  #failed(error: unknown): false {
    this.#context.metrics.hookFailures += 1;
    this.#context.logger.error("authorizeDelivery failed: the message is not delivered", error);
    return false;
  }

  /** Read when its turn has come, so that nobody gets a value after a newer one. */
  #nextRetained({ subscription, entries }: RetainedCursor): Delivery | undefined {
    for (let found = entries.next(); found.done !== true; found = entries.next()) {
      const publication = this.#context.retained.read(found.value.topic);
      if (publication === undefined) {
        continue;
      }
      if (subscription.noLocal && publication.publisher === this.#session.clientId) {
        continue;
      }
      const qos = grantedQoS(publication.qos, subscription.qos);
      const identifier = subscription.subscriptionIdentifier;
      const identifiers = identifier === undefined ? undefined : [identifier];
      return new Delivery(this.#session, this.#session.nextSequence(), publication, qos, true, identifiers, undefined);
    }
    return undefined;
  }

  #send(delivery: Delivery): void {
    this.#messages -= 1;
    this.#bytes -= delivery.payload.byteLength;
    this.#session.connection!.send(delivery, undefined);
  }
}
