import type { Authority, ClientInfo } from "../hooks/index.ts";
import { BYTES_PER_STEP, PUMP_STEPS, READ_STEPS, SEND_STEPS } from "../limits.ts";
import { Delivery, type DeliveryReceiver, grantedQoS, isExpired } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { RetainedMessages } from "../retained/index.ts";
import type { StoredSubscription } from "../storage/index.ts";
import type { Job, Steps, Work } from "../work/index.ts";
import { type Replayed, RetainedReplay } from "./retained-replay.ts";
import type { SessionConnection } from "./session-connection.ts";
import type { SessionQueue } from "./session-queue.ts";

/** What a pump needs of its broker. */
export interface PumpNeeds {
  readonly authority: Pick<Authority, "deliver" | "deliverRetained" | "judgesDeliveries" | "judgesPublishers">;
  readonly metrics: MetricsRecorder;
  readonly retained: Pick<RetainedMessages, "match" | "mayMatch" | "read">;
  readonly work: Pick<Work, "exhausted" | "spend" | "start" | "stop">;
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
  /** Takes a message of a shared subscription that waits with another member; false when there is none. */
  takeOver(): boolean;
}

/** A retained message that was read and waits for the answer of `authorizeDelivery`. */
interface Asked extends Replayed {
  readonly delivery: Delivery;
  readonly revision: number;
}

/**
 * Sends what waits for one session: QoS 0, then QoS 1 and 2 as far as the window goes, then retained messages of new
 * subscriptions. Stops when the connection is full; and when it has done its share, whether anything was sent or not, so
 * that others get theirs.
 */
export class Pump implements Job {
  readonly #needs: PumpNeeds;
  readonly #session: PumpedSession;
  readonly #steps: Steps = { left: 0 };
  #replay: RetainedReplay | undefined;
  #asked: Asked | undefined;
  #running = false;
  /** For its next turn. */
  #waiting = false;
  /** Whether `authorizeDelivery` is at work. */
  #asking = false;

  constructor(needs: PumpNeeds, session: PumpedSession) {
    this.#needs = needs;
    this.#session = session;
  }

  /** Sends the retained messages of a new subscription, from the next `run` on. */
  addRetained(subscription: StoredSubscription): void {
    this.#replay ??= new RetainedReplay(this.#needs.retained);
    this.#replay.add(subscription);
  }

  forgetRetained(filter: string): void {
    this.#replay?.forget(filter);
  }

  run(): void {
    if (this.#running || this.#waiting) {
      return;
    }
    this.#steps.left = PUMP_STEPS;
    if (!this.#pump(true)) {
      this.#waiting = true;
      this.#needs.work.start(this);
    }
  }

  runSoon(): void {
    if (!this.#waiting) {
      this.#waiting = true;
      this.#needs.work.start(this);
    }
  }

  /** In a turn of its own: what throws ends this client's connection. */
  work(steps: Steps): boolean {
    this.#waiting = false;
    if (this.#running) {
      return true;
    }
    this.#steps.left = steps.left;
    try {
      this.#waiting = !this.#pump(false);
    } catch (error) {
      this.#session.connection?.fail(error);
    }
    steps.left = this.#steps.left;
    return !this.#waiting;
  }

  /**
   * Whether this client may have a message. Undefined while the answer is pending: the message has to wait in the queue
   * then, and only this client waits for it. Of a retained message for a new subscription, its publisher may be asked about.
   */
  authorize(delivery: Delivery, isReplayed = false): boolean | undefined {
    const { authority } = this.#needs;
    if (!authority.judgesDeliveries && !(isReplayed && authority.judgesPublishers)) {
      return true;
    }
    if (delivery.allowed !== undefined || this.#asking) {
      return delivery.allowed;
    }
    const answer = isReplayed
      ? authority.deliverRetained(this.#session.client, delivery, delivery.publication)
      : authority.deliver(this.#session.client, delivery);
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
    this.#replay = undefined;
    this.#asked = undefined;
    this.#waiting = false;
    this.#needs.work.stop(this);
  }

  #runGuarded(): void {
    try {
      this.run();
    } catch (error) {
      this.#session.connection?.fail(error);
    }
  }

  /** False when the steps were used up before all was done. */
  #pump(atOnce: boolean): boolean {
    this.#running = true;
    try {
      this.#pumpQueue(0);
      this.#pumpQueue(1);
      this.#pumpRetained(atOnce);
    } finally {
      this.#running = false;
    }
    return this.#steps.left > 0;
  }

  #pumpQueue(lane: 0 | 1): void {
    const { queue } = this.#session;
    while (this.#steps.left > 0 && (this.#session.connection?.canSend(lane) ?? false)) {
      const delivery = queue.peek(lane);
      if (delivery === undefined) {
        if (lane === 0 || !this.#session.takeOver()) {
          return;
        }
        this.#steps.left -= READ_STEPS;
        // It may be one of QoS 0 here.
        this.#pumpQueue(0);
        continue;
      }
      if (isExpired(delivery.publication, this.#session.nowMs())) {
        this.#steps.left -= SEND_STEPS;
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
        this.#steps.left -= READ_STEPS;
        queue.drop(delivery);
        this.refuse(delivery);
      }
    }
  }

  /** At once only as far as this turn's share goes: each subscription of each client may ask for as much. */
  #pumpRetained(atOnce: boolean): void {
    const replay = this.#replay;
    if (replay === undefined || this.#steps.left <= 0) {
      return;
    }
    if (atOnce && this.#needs.work.exhausted) {
      this.#steps.left = 0;
      return;
    }
    const before = this.#steps.left;
    while (this.#steps.left > 0 && this.#replay === replay) {
      const replayed = replay.peek(this.#steps);
      if (replayed === undefined || !this.#sendRetained(replayed)) {
        break;
      }
      replay.shift();
    }
    if (this.#replay === replay && replay.done) {
      this.#replay = undefined;
    }
    if (atOnce) {
      this.#needs.work.spend(before - this.#steps.left);
    }
  }

  /** False when it has to wait: whatever holds it up will call `run` again. */
  #sendRetained(replayed: Replayed): boolean {
    const { connection } = this.#session;
    // What does not even take QoS 0 takes nothing: the message need not be read for it.
    if (!(connection?.canSend(0) ?? false)) {
      return false;
    }
    const delivery = this.#readRetained(replayed);
    if (delivery === undefined) {
      return true;
    }
    if (!connection!.canSend(delivery.qos)) {
      return false;
    }
    const allowed = this.authorize(delivery, true);
    if (allowed === undefined) {
      this.#asked = { ...replayed, delivery, revision: replayed.entry.revision };
      return false;
    }
    this.#asked = undefined;
    if (allowed) {
      this.#send(delivery);
    } else {
      this.#needs.metrics.droppedUnauthorized += 1;
    }
    return true;
  }

  /**
   * Read when it is about to leave, and again when it had to wait: a newer one may have gone to the client by then, and
   * nobody gets a value after a newer one.
   */
  #readRetained(replayed: Replayed): Delivery | undefined {
    const { subscription, entry } = replayed;
    const asked = this.#asked;
    this.#steps.left -= READ_STEPS;
    const publication = this.#needs.retained.read(entry.topic);
    if (publication === undefined || (subscription.noLocal && publication.publisher === this.#session.clientId)) {
      return undefined;
    }
    if (asked?.entry === entry && asked.subscription === subscription && asked.revision === entry.revision) {
      return asked.delivery;
    }
    const qos = grantedQoS(publication.qos, subscription.qos);
    const identifier = subscription.subscriptionIdentifier;
    const identifiers = identifier === undefined ? undefined : [identifier];
    return new Delivery(this.#session, this.#session.nextSequence(), publication, qos, true, identifiers, undefined);
  }

  #send(delivery: Delivery): void {
    this.#steps.left -= SEND_STEPS + Math.floor(delivery.payload.byteLength / BYTES_PER_STEP);
    this.#session.connection!.send(delivery, undefined);
  }
}
