import { type ProtocolVersion, parseSharedFilter, type QoS, type Will } from "@tidewire/codec";
import { QUOTA_EXCEEDED } from "@tidewire/codec/codes";
import { createInflight, createStoredInflight, type Inflight, type SavedInflight } from "@tidewire/session";
import type { ClientConnection } from "./client-connection.ts";
import type { BrokerContext } from "./context.ts";
import type { Deadline } from "./deadlines.ts";
import { Delivery, type DeliveryReceiver, grantedQoS } from "./delivery.ts";
import { Drain } from "./drain.ts";
import type { Encodings } from "./encodings.ts";
import type { ClientInfo } from "./hooks.ts";
import type { IncomingPublication } from "./publication.ts";
import { SessionQueue } from "./session-queue.ts";
import type { BrokerStore, LoadedSession, StoredSubscription } from "./store.ts";
import { Readiness, type RouteTarget, type Subscriber, Subscription } from "./subscription.ts";

/** One MQTT session: what the broker knows of a client, whether it is connected or not. */
export class BrokerSession implements Subscriber, DeliveryReceiver {
  readonly clientId: string;
  /** Whether it began as a session that outlives its connection, so that all of it is in the durable store. */
  readonly kept: boolean;
  /** Where its queue is, and if it is kept, its subscriptions and in-flight exchanges. */
  readonly store: BrokerStore;
  readonly inflight: Inflight<Delivery>;
  readonly queue: SessionQueue;
  version: ProtocolVersion;
  expirySeconds: number;
  username: string | undefined;
  will: Will | undefined = undefined;
  willAtMs: number | undefined = undefined;
  disconnectedAtMs: number | undefined = undefined;
  readonly maybeSentBelow: number | undefined;
  /** As it was on the latest connection. */
  client: ClientInfo | undefined = undefined;
  connection: ClientConnection | undefined = undefined;
  ended = false;
  expiry: Deadline | undefined = undefined;
  willDeadline: Deadline | undefined = undefined;

  readonly #context: BrokerContext;
  readonly #drain: Drain;
  #subscriptions: Map<string, Subscription> | undefined;
  /** Of the latest subscription; others made with it have the same. */
  #identifiers: readonly number[] | undefined;
  #nextSequence: number;
  /** Whether the durable store has a record of it, if only for the sake of its will. */
  #recorded: boolean;

  constructor(context: BrokerContext, record: SessionRecord, loaded?: LoadedSession) {
    this.#context = context;
    this.clientId = record.clientId;
    this.version = record.version;
    this.expirySeconds = record.sessionExpiryInterval;
    this.username = record.username;
    this.kept = record.sessionExpiryInterval > 0;
    this.store = this.kept ? context.storage.durable : context.storage.volatile;
    this.#nextSequence = loaded?.nextSequence ?? 0;
    this.#recorded = loaded !== undefined;
    this.maybeSentBelow = loaded?.maybeSentBelow;
    const { limits, metrics } = context;
    const { clientId, store, kept } = this;
    const queue = { clientId, receiver: this, store, storesInflight: kept, limits, metrics };
    this.queue = new SessionQueue(loaded === undefined ? queue : { ...queue, loaded });
    this.inflight = kept
      ? createStoredInflight<Delivery>(store.inflight(clientId), loaded && this.#loadInflight())
      : createInflight<Delivery>();
    this.#drain = new Drain(context, this);
  }

  /** Whether it outlives its present connection. */
  get persistent(): boolean {
    return this.expirySeconds > 0;
  }

  get subscriptionCount(): number {
    return this.#subscriptions?.size ?? 0;
  }

  nowMs(): number {
    return this.#context.clock.nowMs();
  }

  // Subscriptions

  hasSubscription(filter: string): boolean {
    return this.#subscriptions?.has(filter) ?? false;
  }

  /** Replaces one with the same filter [MQTT-3.8.4-3]; true when there was none. */
  subscribe(stored: StoredSubscription): boolean {
    const isNew = !this.#remove(stored.filter);
    this.restore(stored);
    if (this.kept) {
      this.store.putSubscription(this.clientId, stored);
      this.#context.storage.commitSoon();
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
    this.#context.router.add(subscription, shared?.filter ?? stored.filter, shared?.group);
  }

  unsubscribe(filter: string): boolean {
    if (!this.#remove(filter)) {
      return false;
    }
    this.#drain.forgetRetained(filter);
    if (this.kept) {
      this.store.deleteSubscription(this.clientId, filter);
      this.#context.storage.commitSoon();
    }
    return true;
  }

  /** Sends the retained messages that match a subscription, as fast as the client takes them. */
  sendRetained(stored: StoredSubscription): void {
    this.#drain.addRetained(stored);
  }

  // Deliveries

  readiness(qos: QoS): Readiness {
    if (this.ended || !this.queue.hasRoom()) {
      return Readiness.FULL;
    }
    if (this.connection === undefined) {
      return qos > 0 || this.#context.limits.queueQoS0Offline ? Readiness.KEEPS : Readiness.FULL;
    }
    return this.connection.canSend(qos) && this.queue.isEmpty(qos) ? Readiness.READY : Readiness.BUSY;
  }

  deliver(publication: IncomingPublication, target: RouteTarget, encodings: Encodings): void {
    const qos = grantedQoS(publication.qos, target.qos);
    const retain = publication.retain && target.retainAsPublished;
    const connection = this.connection;
    if (connection === undefined && qos === 0 && !this.#context.limits.queueQoS0Offline) {
      return;
    }
    if (connection === undefined || !connection.canSend(qos) || !this.queue.isEmpty(qos)) {
      publication.keep();
      this.#enqueue(this.#newDelivery(publication, qos, retain, target));
      return;
    }
    const encoded = connection.encodes(target) ? encodings.get(this.version, qos, retain) : undefined;
    if (qos === 0 && encoded !== undefined && this.#context.hooks.authorizeDelivery === undefined) {
      connection.sendQoS0(publication, encoded);
      return;
    }
    const delivery = this.#newDelivery(publication, qos, retain, target);
    const allowed = this.#drain.authorize(delivery);
    if (allowed === false) {
      this.#drain.refuse(delivery);
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
  drain(): void {
    this.#drain.run();
  }

  /** A number for the next message, which orders it behind all before. */
  nextSequence(): number {
    const sequence = this.#nextSequence;
    this.#nextSequence += 1;
    return sequence;
  }

  // Connection and end; called by the registry

  attach(connection: ClientConnection): void {
    this.connection = connection;
    this.version = connection.protocol.version;
    this.client = connection.client;
    this.username = connection.client!.username;
    this.disconnectedAtMs = undefined;
  }

  detach(): void {
    this.connection = undefined;
    this.disconnectedAtMs = this.nowMs();
    this.queue.connectionLost();
    this.#passOnWaiting();
  }

  /** Keeps what a restart needs to know; a will has to be published then, even of a session that is over with its connection. */
  save(): void {
    if (!this.kept && this.will === undefined) {
      return;
    }
    this.#recorded = true;
    this.#context.storage.durable.putSession({
      clientId: this.clientId,
      version: this.version,
      sessionExpiryInterval: this.expirySeconds,
      disconnectedAtMs: this.disconnectedAtMs,
      username: this.username,
      will: this.will,
      willAtMs: this.willAtMs,
      maybeSentBelow: this.maybeSentBelow,
    });
    this.#context.storage.commitSoon();
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
    this.#drain.stop();
    this.store.deleteSession(this.clientId);
    if (!this.kept && this.#recorded) {
      this.#context.storage.durable.deleteSession(this.clientId);
    }
    this.#context.storage.commitSoon();
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
    return new Delivery(this, sequence, publication, qos, retain, target.identifiers, target.group?.filter);
  }

  #enqueue(delivery: Delivery): void {
    if (!this.queue.push(delivery)) {
      this.connection?.disconnect(QUOTA_EXCEEDED);
      return;
    }
    if (this.connection === undefined) {
      this.#context.storage.commitSoon();
    } else {
      this.#drain.run();
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
    this.#context.router.remove(subscription, shared?.filter ?? filter, shared?.group);
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
    for (const { group } of this.#subscriptions.values()) {
      others ||= group !== undefined && group.members.items.length > 1;
    }
    return others ? this.queue.takeShared((filter) => this.#groupOf(filter) !== undefined) : [];
  }

  #groupOf(sharedFilter: string): ReturnType<BrokerContext["router"]["group"]> {
    const shared = parseSharedFilter(sharedFilter)!;
    return this.#context.router.group(shared.filter, shared.group);
  }
}

/** What a session begins with. */
export interface SessionRecord {
  readonly clientId: string;
  readonly version: ProtocolVersion;
  readonly sessionExpiryInterval: number;
  readonly username: string | undefined;
}
