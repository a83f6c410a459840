import { type ProtocolVersion, parseSharedFilter, type QoS, type Will } from "@tidewire/codec";
import { QUOTA_EXCEEDED } from "@tidewire/codec/codes";
import { createInflight, createStoredInflight, type Inflight, type SavedInflight } from "@tidewire/session";
import { type ClientInfo, NO_CONNECTION } from "../hooks/index.ts";
import type { BrokerLimits } from "../limits.ts";
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
  Readiness,
  type Router,
  type RouteTarget,
  type SharedGroup,
  type Subscriber,
  Subscription,
} from "../routing/index.ts";
import type { BrokerStore, LoadedSession, Storage, StoredSubscription } from "../storage/index.ts";
import type { Clock, Deadline } from "../time/index.ts";
import { Pump, type PumpedSession, type PumpNeeds } from "./pump.ts";
import type { SessionConnection } from "./session-connection.ts";
import { SessionQueue } from "./session-queue.ts";

/** What a session needs of its broker. */
export interface SessionNeeds extends PumpNeeds {
  readonly limits: BrokerLimits;
  readonly metrics: MetricsRecorder;
  readonly clock: Pick<Clock, "nowMs">;
  readonly memory: Pick<MemoryBudget, "countQueued" | "refuses" | "refusesSessions">;
  readonly router: Pick<Router, "add" | "remove" | "group">;
  readonly storage: Pick<Storage, "durable" | "volatile" | "commitSoon">;
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

  /** Replaces one with the same filter [MQTT-3.8.4-3]; true when there was none. */
  subscribe(stored: StoredSubscription): boolean {
    const isNew = !this.#remove(stored.filter);
    this.restore(stored);
    if (this.stored) {
      this.store.putSubscription(this.clientId, stored);
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
    const shared = parseSharedFilter(stored.filter);
    this.#needs.router.add(subscription, shared?.filter ?? stored.filter, shared?.group);
  }

  unsubscribe(filter: string): boolean {
    if (!this.#remove(filter)) {
      return false;
    }
    this.#pump.forgetRetained(filter);
    if (this.stored) {
      this.store.deleteSubscription(this.clientId, filter);
      this.#needs.storage.commitSoon();
    }
    return true;
  }

  /** Sends the retained messages that match a subscription, as fast as the client takes them. */
  sendRetained(stored: StoredSubscription): void {
    this.#pump.addRetained(stored);
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
    if (connection === undefined && qos === 0 && !this.#needs.limits.queueQoS0Offline) {
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
    this.#passOnWaiting();
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
    for (const subscription of this.#subscriptions?.values() ?? []) {
      this.#unroute(subscription);
    }
    this.#subscriptions = undefined;
    for (const { message } of unfinished) {
      // A QoS 2 message may have arrived already: nobody else gets it [MQTT-4.8.2-5].
      if (message.qos === 1 && message.sharedFilter !== undefined) {
        this.passOn(message);
      }
    }
    for (const delivery of waiting) {
      this.passOn(delivery);
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
    const shared = parseSharedFilter(filter);
    this.#needs.router.remove(subscription, shared?.filter ?? filter, shared?.group);
  }

  /** What waits here by shared subscriptions goes to members that are connected. */
  #passOnWaiting(): void {
    for (const delivery of this.#takeShared()) {
      if (!this.passOn(delivery)) {
        this.#enqueue(delivery);
      }
    }
  }

  #takeShared(): Delivery[] {
    if (this.#subscriptions === undefined || this.queue.isEmpty(1)) {
      return [];
    }
    let others = false;
    for (const { sharedFilter } of this.#subscriptions.values()) {
      others ||= sharedFilter !== undefined && this.#groupOf(sharedFilter)!.members.items.length > 1;
    }
    return others ? this.queue.takeShared((filter) => this.#groupOf(filter) !== undefined) : [];
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
