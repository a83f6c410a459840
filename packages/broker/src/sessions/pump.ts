import type { Scheduler } from "@tidewire/link";
import type { Authority, ClientInfo } from "../hooks/index.ts";
import { PUMP_BYTES, PUMP_MESSAGES } from "../limits.ts";
import { Delivery, type DeliveryReceiver, grantedQoS, isExpired } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { RetainedEntry, RetainedMessages } from "../retained/index.ts";
import type { StoredSubscription } from "../storage/index.ts";
import type { SessionConnection } from "./session-connection.ts";
import type { SessionQueue } from "./session-queue.ts";

/** What a pump needs of its broker. */
export interface PumpNeeds {
  readonly authority: Pick<Authority, "deliver" | "judgesDeliveries">;
  readonly metrics: MetricsRecorder;
  readonly retained: Pick<RetainedMessages, "match" | "mayMatch" | "read">;
  readonly scheduler: Pick<Scheduler, "later" | "setTimer">;
}

/** The session that it pumps for. */
export interface PumpedSession extends DeliveryReceiver {
  readonly clientId: string;
  readonly queue: SessionQueue;
  readonly connection: SessionConnection | undefined;
  readonly client: ClientInfo;
  nextSequence(): number;
  /** Gives a message of a shared subscription to another member; false when none can take it. */
  passOn(delivery: Delivery): boolean;
}

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
export class Pump {
  readonly #needs: PumpNeeds;
  readonly #session: PumpedSession;
  #cursors: RetainedCursor[] | undefined;
  #running = false;
  #scheduled = false;
  /** Whether `authorizeDelivery` is at work. */
  #asking = false;
  #messages = 0;
  #bytes = 0;

  constructor(needs: PumpNeeds, session: PumpedSession) {
    this.#needs = needs;
    this.#session = session;
  }

  addRetained(subscription: StoredSubscription): void {
    this.forgetRetained(subscription.filter);
    const { retained } = this.#needs;
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
    this.#messages = PUMP_MESSAGES;
    this.#bytes = PUMP_BYTES;
    try {
      this.#pumpQueue(0);
      this.#pumpQueue(1);
      this.#pumpRetained();
    } finally {
      this.#running = false;
    }
    if (this.#messages <= 0 || this.#bytes <= 0) {
      this.#scheduled = true;
      this.#needs.scheduler.later!(() => {
        this.#scheduled = false;
        this.#runGuarded();
      });
    }
  }

  /** In a turn of its own: what throws ends this client's connection. */
  #runGuarded(): void {
    try {
      this.run();
    } catch (error) {
      this.#session.connection?.fail(error);
    }
  }

  /**
   * Whether this client may have a message. Undefined while the answer is pending: the message has to wait in the queue
   * then, and only this client waits for it.
   */
  authorize(delivery: Delivery): boolean | undefined {
    const { authority } = this.#needs;
    if (!authority.judgesDeliveries) {
      return true;
    }
    if (delivery.allowed !== undefined || this.#asking) {
      return delivery.allowed;
    }
    const answer = authority.deliver(this.#session.client, delivery);
    if (typeof answer === "boolean") {
      return answer;
    }
    this.#asking = true;
    answer.then((allowed) => {
      this.#asking = false;
      delivery.allowed = allowed;
      this.#runGuarded();
      // It counts for this attempt alone: by the next one rights may have changed.
      delivery.allowed = undefined;
    });
    return undefined;
  }

  /** What is not for this client: another member of a shared subscription may be allowed to have it. */
  refuse(delivery: Delivery): void {
    if (delivery.sharedFilter !== undefined) {
      delivery.refusedBy = [...(delivery.refusedBy ?? []), this.#session];
      if (this.#session.passOn(delivery)) {
        return;
      }
    }
    this.#needs.metrics.droppedUnauthorized += 1;
  }

  stop(): void {
    this.#cursors = undefined;
  }

  #pumpQueue(lane: 0 | 1): void {
    const { queue } = this.#session;
    while (this.#messages > 0 && this.#bytes > 0 && (this.#session.connection?.canSend(lane) ?? false)) {
      const delivery = queue.peek(lane);
      if (delivery === undefined) {
        return;
      }
      if (isExpired(delivery.publication, this.#session.nowMs())) {
        this.#needs.metrics.droppedExpired += 1;
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

  #pumpRetained(): void {
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
      this.#needs.metrics.droppedUnauthorized += 1;
    }
    return Attempt.DONE;
  }

  /** Read when its turn has come, so that nobody gets a value after a newer one. */
  #nextRetained({ subscription, entries }: RetainedCursor): Delivery | undefined {
    for (let found = entries.next(); found.done !== true; found = entries.next()) {
      const publication = this.#needs.retained.read(found.value.topic);
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
