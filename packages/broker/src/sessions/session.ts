import { type ProtocolVersion, parseSharedFilter, type QoS, type Will } from "@tidewire/codec";
import { QUOTA_EXCEEDED } from "@tidewire/codec/codes";
import { createInflight, createStoredInflight, type Inflight, type SavedInflight } from "@tidewire/session";
import { type ClientInfo, NO_CONNECTION } from "../hooks/index.ts";
import { type BrokerLimits, ENQUEUE_STEPS, FILTER_STEPS, READ_STEPS } from "../limits.ts";
import type { MemoryBudget } from "../memory/index.ts";
import {
  Delivery,
  type DeliveryReceiver,
  type Encodings,
  grantedQoS,
  type IncomingPublication,
} from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import {
  type Backlog,
  Readiness,
  type Router,
  type RouteTarget,
  type SharedGroup,
  type Subscriber,
  Subscription,
} from "../routing/index.ts";
import type { BrokerStore, LoadedSession, Storage, StoredSubscription } from "../storage/index.ts";
import type { Clock, Deadline } from "../time/index.ts";
import type { Work } from "../work/index.ts";
import { Pump, type PumpedSession, type PumpNeeds } from "./pump.ts";
import type { SessionConnection } from "./session-connection.ts";
import { SessionQueue } from "./session-queue.ts";
import { SubscriptionShapes, type UserShapes } from "./user-shapes.ts";

/** What a session needs of its broker. */
export interface SessionNeeds extends PumpNeeds {
  readonly limits: BrokerLimits;
  readonly metrics: MetricsRecorder;
  readonly clock: Pick<Clock, "nowMs">;
  readonly memory: Pick<MemoryBudget, "countQueued" | "refuses" | "refusesSessions">;
  readonly router: Pick<Router, "add" | "remove" | "group">;
  readonly storage: Pick<Storage, "durable" | "volatile" | "commitSoon" | "count">;
  readonly userShapes: UserShapes;
  readonly work: Pick<Work, "each" | "exhausted" | "spend" | "start" | "stop">;
}

/** One MQTT session: what the broker knows of a client, whether it is connected or not. */
export class Session implements Subscriber, DeliveryReceiver, PumpedSession {
  readonly clientId: string;
  /** Whether it began as a session that outlives its connection, so that all of it is in the durable store. */
  readonly stored: boolean;
  /** Where its queue is, and if it is kept, its subscriptions and in-flight exchanges. */
  readonly store: BrokerStore;
  readonly inflight: Inflight<Delivery>;
  readonly queue: SessionQueue;
  version: ProtocolVersion;
  expirySeconds: number;
  /** Whose it is: the user who began it. */
  readonly username: string | undefined;
  will: Will | undefined = undefined;
  willAtMs: number | undefined = undefined;
  disconnectedAtMs: number | undefined = undefined;
  readonly maybeSentBelow: number | undefined;
  /** As it was on the latest connection; of one from before a restart no more than what is kept of it. */
  client: ClientInfo;
  connection: SessionConnection | undefined = undefined;
  ended = false;
  expiry: Deadline | undefined = undefined;
  willDeadline: Deadline | undefined = undefined;

  readonly #needs: SessionNeeds;
  readonly #pump: Pump;
  #subscriptions: Map<string, Subscription> | undefined;
  /** Of the subscriptions, once there are so many that the shapes may be too many. */
  #shapes: SubscriptionShapes | undefined;
  /** Whether it ever had a shared subscription. */
  #shares = false;
  /** Where messages wait that it may take when it has nothing to do. */
  #backlogs: Set<Backlog> | undefined;
  /** Of the latest subscription; others made with it have the same. */
  #identifiers: readonly number[] | undefined;
  #nextSequence: number;
  /** Whether the durable store has a record of it, if only for the sake of its will. */
  #recorded: boolean;

  constructor(needs: SessionNeeds, record: SessionRecord, loaded?: LoadedSession) {
    this.#needs = needs;
    this.clientId = record.clientId;
    this.version = record.version;
    this.expirySeconds = record.sessionExpiryInterval;
    this.username = record.username;
    const { clientId, version, username } = record;
    this.client = { clientId, version, username, connection: NO_CONNECTION };
    this.stored = record.sessionExpiryInterval > 0;
    this.store = this.stored ? needs.storage.durable : needs.storage.volatile;
    this.#nextSequence = loaded?.nextSequence ?? 0;
    this.#recorded = loaded !== undefined;
    this.maybeSentBelow = loaded?.maybeSentBelow;
    const { limits, memory, metrics } = needs;
    const { store, stored } = this;
    const queue = { clientId, receiver: this, store, storesInflight: stored, limits, memory, metrics };
    this.queue = new SessionQueue(loaded === undefined ? queue : { ...queue, loaded });
    this.inflight = stored
      ? createStoredInflight<Delivery>(store.inflight(clientId), loaded && this.#loadInflight())
      : createInflight<Delivery>();
    this.#pump = new Pump(needs, this);
  }

  /** Whether it outlives its present connection. */
  get outlivesConnection(): boolean {
    return this.expirySeconds > 0;
  }

  get subscriptionCount(): number {
    return this.#subscriptions?.size ?? 0;
  }

  nowMs(): number {
    return this.#needs.clock.nowMs();
  }

  // Subscriptions

  hasSubscription(filter: string): boolean {
    return this.#subscriptions?.has(filter) ?? false;
  }

  /** Whether the limits leave room for a subscription with this filter; where there is one, it takes its place. */
  admits(filter: string): boolean {
    if (this.hasSubscription(filter)) {
      return true;
    }
    const { limits, userShapes } = this.#needs;
    const count = this.subscriptionCount;
    if (count >= limits.subscriptionsPerSession) {
      return false;
    }
    const { filterShapesPerSession, sharedShapesPerSession } = limits;
    // No more shapes than subscriptions: those who have few need no count.
    if (this.#shapes === undefined && count >= Math.min(filterShapesPerSession, sharedShapesPerSession)) {
      this.#shapes = new SubscriptionShapes();
      for (const known of this.#subscriptions?.keys() ?? []) {
        this.#shapes.add(known);
      }
    }
    const admitted = this.#shapes?.admit(filter, filterShapesPerSession, sharedShapesPerSession) ?? true;
    return admitted && userShapes.admit(this.username, filter);
  }

  /** Replaces one with the same filter [MQTT-3.8.4-3]; true when there was none. */
  subscribe(stored: StoredSubscription): boolean {
    const before = this.#subscriptions?.get(stored.filter);
    const isNew = before === undefined;
    if (before?.isSame(stored) !== true) {
      this.#remove(stored.filter);
      this.restore(stored);
    }
    if (this.stored) {
      this.store.putSubscription(this.clientId, stored);
      this.#needs.storage.count();
      this.#needs.storage.commitSoon();
    }
    return isNew;
  }

  /** Puts a subscription that the store holds already into the routes. */
  restore(stored: StoredSubscription): void {
    const subscription = new Subscription(this, stored, this.#identifiers);
    this.#identifiers = subscription.identifiers;
    this.#subscriptions ??= new Map();
    this.#subscriptions.set(stored.filter, subscription);
    this.#shapes?.add(stored.filter);
    this.#needs.userShapes.add(this.username, stored.filter);
    const shared = parseSharedFilter(stored.filter);
    this.#needs.router.add(subscription, shared?.filter ?? stored.filter, shared?.group);
    if (shared !== undefined) {
      this.#shares = true;
      this.#lookForWork(subscription);
    }
  }

  /** After all subscriptions of a store's have been restored. */
  restored(): void {
    if (this.#shares && !this.queue.isEmpty(1)) {
      const { work } = this.#needs;
      work.start({
        work: (steps) => {
          const done = this.queue.work(steps);
          if (done) {
            this.#offerWaiting();
          }
          return done;
        },
      });
    }
  }

  unsubscribe(filter: string): boolean {
    if (!this.#remove(filter)) {
      return false;
    }
    this.#pump.forgetRetained(filter);
    if (this.stored) {
      this.store.deleteSubscription(this.clientId, filter);
      this.#needs.storage.count();
      this.#needs.storage.commitSoon();
    }
    return true;
  }

  /** Sends the retained messages that match these subscriptions, as fast as the client takes them. */
  sendRetained(subscriptions: readonly StoredSubscription[]): void {
    for (const stored of subscriptions) {
      this.#pump.addRetained(stored);
    }
    this.#pump.run();
  }

  // Deliveries

  readiness(qos: QoS): Readiness {
    if (this.ended || !this.queue.hasRoom()) {
      return Readiness.FULL;
    }
    if (this.connection === undefined) {
      return qos > 0 || this.#needs.limits.queueQoS0Offline ? Readiness.KEEPS : Readiness.FULL;
    }
    return this.connection.canSend(qos) && this.queue.isEmpty(qos) ? Readiness.READY : Readiness.BUSY;
  }

  deliver(publication: IncomingPublication, target: RouteTarget, encodings: Encodings): void {
    const qos = grantedQoS(publication.qos, target.qos);
    const retain = publication.retain && target.retainAsPublished;
    const connection = this.connection;
    if (connection === undefined && (this.ended || (qos === 0 && !this.#needs.limits.queueQoS0Offline))) {
      return;
    }
    if (connection === undefined || !connection.canSend(qos) || !this.queue.isEmpty(qos)) {
      publication.keep();
      this.#enqueue(this.#newDelivery(publication, qos, retain, target));
      return;
    }
    const encoded = connection.encodes(target) ? encodings.get(this.version, qos, retain) : undefined;
    if (qos === 0 && encoded !== undefined && !this.#needs.authority.judgesDeliveries) {
      connection.sendQoS0(publication, encoded);
      return;
    }
    const delivery = this.#newDelivery(publication, qos, retain, target);
    const allowed = this.#pump.authorize(delivery);
    if (allowed === false) {
      this.#pump.refuse(delivery);
      return;
    }
    if (qos > 0 || allowed === undefined) {
      publication.keep();
    }
    if (allowed === undefined) {
      this.#enqueue(delivery);
    } else {
      connection.send(delivery, encoded);
    }
  }

  redeliver(delivery: Delivery, target: RouteTarget): void {
    const { publication } = delivery;
    const qos = grantedQoS(publication.qos, target.qos);
    const retain = publication.retain && target.retainAsPublished;
    const again = this.#newDelivery(publication, qos, retain, target);
    again.refusedBy = delivery.refusedBy;
    this.#enqueue(again);
  }

  help(backlog: Backlog): void {
    if (this.connection === undefined || this.#backlogs?.has(backlog) === true) {
      return;
    }
    this.#backlogs ??= new Set();
    this.#backlogs.add(backlog);
    this.#pump.runSoon();
  }

  giveUp(sharedFilter: string, taker: object): Delivery | undefined {
    this.#needs.storage.commitSoon();
    return this.queue.takeShared(sharedFilter, ({ refusedBy }) => refusedBy?.includes(taker) !== true);
  }

  takeOver(): boolean {
    const backlogs = this.#backlogs;
    // Asked after each acknowledgement: most sessions have none.
    if (backlogs === undefined) {
      return false;
    }
    for (const backlog of backlogs) {
      const subscription = this.#subscriptions?.get(backlog.filter);
      const delivery = subscription && backlog.take(this);
      if (delivery !== undefined) {
        this.redeliver(delivery, subscription!);
        return true;
      }
      backlogs.delete(backlog);
    }
    this.#backlogs = undefined;
    return false;
  }

  /** Gives a message of a shared subscription to another member; false when none can take it. */
  passOn(delivery: Delivery): boolean {
    const except = [...(delivery.refusedBy ?? []), this];
    return this.#groupOf(delivery.sharedFilter!)?.redeliver(delivery, except) ?? false;
  }

  /** Sends what waits, as far as the client takes it. */
  pump(): void {
    this.#pump.run();
  }

  /** A number for the next message, which orders it behind all before. */
  nextSequence(): number {
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    return sequence;
  }

  // Connection and end; called by the registry

  attach(connection: SessionConnection, client: ClientInfo): void {
    this.connection = connection;
    this.version = client.version;
    this.client = client;
    this.disconnectedAtMs = undefined;
    if (this.#shares) {
      this.#needs.work.each(this.#subscriptions?.values() ?? [], 1, (subscription) => this.#lookForWork(subscription));
    }
  }

  /**
   * Asks again about what was sent and not acknowledged, before it goes out once more: rights may have gone meanwhile. What
   * may not be sent is taken back. A promise when the application takes its time.
   */
  judgeInflight(): Promise<void> | undefined {
    const { authority } = this.#needs;
    if (!authority.judgesDeliveries || this.inflight.outgoingCount === 0) {
      return undefined;
    }
    const pending: Promise<void>[] = [];
    for (const { packetId, message } of this.inflight.unreceived()) {
      const answer = authority.deliver(this.client, message);
      if (answer === false) {
        this.#withdraw(packetId, message);
      } else if (answer !== true) {
        pending.push(answer.then((allowed) => (allowed ? undefined : this.#withdraw(packetId, message))));
      }
    }
    return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined);
  }

  detach(): void {
    this.connection = undefined;
    this.disconnectedAtMs = this.nowMs();
    this.queue.connectionLost();
    this.#backlogs = undefined;
    this.#offerWaiting();
  }

  /** Keeps what a restart needs to know; a will has to be published then, even of a session that is over with its connection. */
  save(): void {
    if (!this.stored && this.will === undefined) {
      return;
    }
    this.#recorded = true;
    this.#needs.storage.durable.putSession({
      clientId: this.clientId,
      version: this.version,
      sessionExpiryInterval: this.expirySeconds,
      disconnectedAtMs: this.disconnectedAtMs,
      username: this.username,
      will: this.will,
      willAtMs: this.willAtMs,
      maybeSentBelow: this.maybeSentBelow,
    });
    this.#needs.storage.commitSoon();
  }

  /** Forgets everything; messages of shared subscriptions go to other members. */
  end(): void {
    this.ended = true;
    const unfinished = this.inflight.clear();
    const waiting = this.#takeShared();
    const subscriptions = this.#subscriptions?.values() ?? [];
    this.#subscriptions = undefined;
    const { work } = this.#needs;
    work.each(subscriptions, FILTER_STEPS, (subscription) => this.#unroute(subscription));
    for (const { message } of unfinished) {
      // A QoS 2 message may have arrived already: nobody else gets it [MQTT-4.8.2-5].
      if (message.qos === 1 && message.sharedFilter !== undefined) {
        this.passOn(message);
      }
    }
    if (this.stored) {
      // With what ends here in one commit: a crash must not come between.
      for (const delivery of waiting) {
        this.passOn(delivery);
      }
    } else {
      work.each(waiting, READ_STEPS, (delivery) => this.passOn(delivery));
    }
    this.queue.discard();
    this.#pump.stop();
    this.store.deleteSession(this.clientId);
    if (!this.stored && this.#recorded) {
      this.#needs.storage.durable.deleteSession(this.clientId);
    }
    this.#needs.storage.commitSoon();
  }

  #withdraw(packetId: number, message: Delivery): void {
    if (this.ended) {
      return;
    }
    this.inflight.withdraw(packetId, message);
    // A QoS 2 message may have arrived already: nobody else gets it [MQTT-4.8.2-5].
    if (message.qos === 1) {
      this.#pump.refuse(message);
    } else {
      this.#needs.metrics.droppedUnauthorized += 1;
    }
    this.#needs.storage.commitSoon();
  }

  /** Messages come from the store as they were kept; here they are this session's own again. */
  #loadInflight(): SavedInflight<Delivery> {
    const { outgoing, incoming } = this.store.loadInflight(this.clientId);
    return {
      outgoing: outgoing.map((sent) => {
        const { message } = sent;
        return { ...sent, message: message && Delivery.from(message.entry, this) };
      }),
      incoming,
    };
  }

  #newDelivery(publication: Delivery["publication"], qos: QoS, retain: boolean, target: RouteTarget): Delivery {
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    return new Delivery(this, sequence, publication, qos, retain, target.identifiers, target.sharedFilter);
  }

  #enqueue(delivery: Delivery): void {
    if (!this.queue.push(delivery)) {
      this.connection?.disconnect(QUOTA_EXCEEDED, "The client takes its messages too slowly: its queue is full.");
      return;
    }
    this.#needs.work.spend(ENQUEUE_STEPS);
    if (this.stored && delivery.qos > 0) {
      this.#needs.storage.count();
    }
    if (this.connection === undefined) {
      this.#needs.storage.commitSoon();
    } else {
      this.#pump.run();
    }
  }

  #remove(filter: string): boolean {
    const subscription = this.#subscriptions?.get(filter);
    if (subscription === undefined) {
      return false;
    }
    this.#subscriptions!.delete(filter);
    this.#unroute(subscription);
    return true;
  }

  #unroute(subscription: Subscription): void {
    const { filter } = subscription;
    this.#shapes?.remove(filter);
    this.#needs.userShapes.remove(this.username, filter);
    const shared = parseSharedFilter(filter);
    this.#needs.router.remove(subscription, shared?.filter ?? filter, shared?.group);
  }

  /** Nobody reads here: what waits by shared subscriptions is for members that do. */
  #offerWaiting(): void {
    this.#needs.work.each(this.queue.sharedFilters, READ_STEPS, (filter) => {
      if (this.connection === undefined) {
        this.#groupOf(filter)?.offer(this);
      }
    });
  }

  /** With others, who may be stuck or away. */
  #lookForWork({ sharedFilter }: Subscription): void {
    const group = sharedFilter === undefined ? undefined : this.#groupOf(sharedFilter);
    if (group?.waits === true) {
      this.help(group);
    }
  }

  /** What waits by shared subscriptions that have other members. */
  #takeShared(): Delivery[] {
    const taken: Delivery[] = [];
    for (const filter of [...this.queue.sharedFilters]) {
      if ((this.#groupOf(filter)?.members.items.length ?? 0) < 2) {
        continue;
      }
      let delivery = this.queue.takeShared(filter, () => true);
      while (delivery !== undefined) {
        taken.push(delivery);
        delivery = this.queue.takeShared(filter, () => true);
      }
    }
    return taken;
  }

  #groupOf(sharedFilter: string): SharedGroup | undefined {
    const shared = parseSharedFilter(sharedFilter)!;
    return this.#needs.router.group(shared.filter, shared.group);
  }
}

/** What a session begins with. */
export interface SessionRecord {
  readonly clientId: string;
  readonly version: ProtocolVersion;
  readonly sessionExpiryInterval: number;
  readonly username: string | undefined;
}
