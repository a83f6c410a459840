import type { Properties, ProtocolVersion, QoS, SubscriptionRequest, Will } from "@tidewire/codec";
import type { InflightStore, Message, SavedInflight } from "@tidewire/session";

/*
 * The seam between the broker and whatever keeps its state. The memory store is built in; `@tidewire/store-lmdb` is the
 * durable one. Every write stages synchronously and in order; `commit` makes all staged writes durable together, and
 * link awaits it once per flush before acknowledgements leave. Reads see what was staged. Times are
 * milliseconds of the time that `open` tells.
 */

/** A publication as the broker keeps it: one object for all its receivers. */
export interface Publication extends Message {
  /** When it was received. */
  readonly receivedAtMs: number;
  /** When it expires by its Message Expiry Interval; Infinity when it does not. */
  readonly expiresAtMs: number;
  /** Client id of the publisher, for No Local; undefined for the broker's own. */
  readonly publisher: string | undefined;
  /** User name of the publisher; undefined for one without a name, and for the broker's own. */
  readonly publisherUser?: string | undefined;
  /** Set by the store when the publication is first kept there, so that the next receiver refers to the same copy. */
  storedId: number | undefined;
}

/** One publication on its way to one session. */
export interface QueueEntry {
  /** Rises within a session; the order of delivery. */
  readonly sequence: number;
  readonly publication: Publication;
  /** Granted: minimum of the publication's and the subscription's. */
  readonly qos: QoS;
  readonly retain: boolean;
  /** Of every matching subscription of this session. */
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  /** The shared subscription (`$share/...`) it came by, so that it can be given to another member. */
  readonly sharedFilter?: string | undefined;
}

export interface StoredSubscription extends SubscriptionRequest {
  readonly subscriptionIdentifier: number | undefined;
}

/** What is kept of a session besides its subscriptions, queue and in-flight exchanges. */
export interface StoredSession {
  readonly clientId: string;
  readonly version: ProtocolVersion;
  /** Seconds; Infinity never expires. */
  readonly sessionExpiryInterval: number;
  /**
   * When the connection went; undefined while connected. A durable store gives back a session that was connected when
   * the process died with the time of its last write, so that downtime counts towards expiry.
   */
  readonly disconnectedAtMs: number | undefined;
  readonly username: string | undefined;
  /** The will that is armed while connected, or that waits for its delay. */
  readonly will: Will | undefined;
  /** When a waiting will is to be published; undefined while it is only armed. */
  readonly willAtMs: number | undefined;
  /**
   * QoS 1 messages in the queue with a lower sequence may have been sent in a life of the process that ended too early
   * to note it; undefined for none. A durable store gives this of a session that was connected when the process died.
   */
  readonly maybeSentBelow: number | undefined;
}

/** What start-up needs in memory; bodies stay in the store. */
export interface LoadedSession extends StoredSession {
  readonly subscriptions: readonly StoredSubscription[];
  readonly queuedCount: number;
  readonly queuedBytes: number;
  /** First free sequence number. */
  readonly nextSequence: number;
}

/** A store's own time, which the broker's goes on from: it counts what passed, whatever is done to the wall clock. */
export interface LoadedTime {
  /** Now, in milliseconds. All times in the store are points of this time. */
  readonly nowMs: number;
  /** What of the system's clocks was not believed, for the log. */
  readonly doubt: string | undefined;
}

export interface LoadedState {
  /** Absent: times are of the wall clock. */
  readonly time?: LoadedTime | undefined;
  readonly sessions: Iterable<LoadedSession>;
  /** Topic, payload bytes and expiry of every retained message. */
  readonly retained: Iterable<{ readonly topic: string; readonly bytes: number; readonly expiresAtMs: number }>;
}

/** Thrown or rejected with when a write cannot be kept; `code` is stable, such as `store-full`. */
export interface StoreFailure extends Error {
  readonly code: "store-full" | "store-read-only" | "store-corrupt" | "store-locked" | "store-version" | "store-failed";
}

export interface BrokerStore {
  /** True when acknowledged state outlives the process; then `commit` is awaited. */
  readonly durable: boolean;
  /**
   * Set while new messages should not be taken over: the disk is full or nearly so, or a commit failed. The broker then
   * refuses publishes that would have to be kept (0x97, or closes a 3.x connection) without staging anything. The store
   * looks again by itself and clears it.
   */
  readonly failure: StoreFailure | undefined;
  /** Set by the broker. To be called when `failure` begins, changes its code, or ends; it does not throw. */
  onFailureChange?: ((failure: StoreFailure | undefined) => void) | undefined;
  open(): Promise<LoadedState>;

  putSession(session: StoredSession): void;
  /** With its subscriptions, queue and in-flight state. Handles from `inflight` are void from then on. */
  deleteSession(clientId: string): void;
  putSubscription(clientId: string, subscription: StoredSubscription): void;
  deleteSubscription(clientId: string, filter: string): void;

  /** Appends; keeps the publication once, however many queues refer to it, and frees it with the last. */
  enqueue(clientId: string, entry: QueueEntry): void;
  /** Removes an entry that was dropped, expired, or sent with QoS 0. */
  dequeue(clientId: string, sequence: number): void;
  /** Entries from `fromSequence` on, oldest first, until `maxCount` or `maxBytes` of payload (at least one, if any). */
  readQueue(clientId: string, fromSequence: number, maxCount: number, maxBytes: number): QueueEntry[];

  /**
   * In-flight state of a session. The broker hands its `QueueEntry`-backed messages to the session, so `putOutgoing`
   * moves the entry from the queue to the in-flight set in one step when it was queued here (`sequence` of the entry).
   */
  inflight(clientId: string): InflightStore<OutgoingMessage>;
  loadInflight(clientId: string): SavedInflight<OutgoingMessage>;

  putRetained(publication: Publication): void;
  deleteRetained(topic: string): void;
  readRetained(topic: string): Publication | undefined;

  /**
   * Resolves when all that was staged before is durable, also what a commit under way took along; undefined when
   * there is nothing of either. Rejects with a `StoreFailure`: then nothing of what was staged is durable, and all
   * of it stays staged, so that reads and the broker's memory keep agreeing; the next commit tries it again, and none
   * passes before it. What a rejected commit stood for must not be acknowledged.
   */
  commit(): Promise<void> | undefined;
  close(): Promise<void>;
}

/** What the broker hands a session as `Message`, so that the store recognises it in `putOutgoing`. */
export interface OutgoingMessage extends Message {
  readonly entry: QueueEntry;
  readonly properties: Properties | undefined;
}
