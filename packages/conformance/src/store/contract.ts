import type { Properties, ProtocolVersion, QoS, SubscriptionRequest, Will } from "@tidewire/codec";

/*
 * What the suite asks of a store, in types of its own: the same shapes as the broker's `BrokerStore`, so that any such
 * store can be passed, and this package depends on no implementation.
 */

export interface StorePublication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties | undefined;
  readonly receivedAtMs: number;
  readonly expiresAtMs: number;
  readonly publisher: string | undefined;
  readonly publisherUser?: string | undefined;
  storedId: number | undefined;
}

export interface StoreEntry {
  readonly sequence: number;
  readonly publication: StorePublication;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  readonly sharedFilter?: string | undefined;
}

export interface StoreSubscription extends SubscriptionRequest {
  readonly subscriptionIdentifier: number | undefined;
}

export interface StoreSession {
  readonly clientId: string;
  readonly version: ProtocolVersion;
  readonly sessionExpiryInterval: number;
  readonly disconnectedAtMs: number | undefined;
  readonly username: string | undefined;
  readonly will: Will | undefined;
  readonly willAtMs: number | undefined;
  /** Queued QoS 1 messages with a lower sequence may have been sent before a crash. */
  readonly maybeSentBelow: number | undefined;
}

export interface StoreLoadedSession extends StoreSession {
  readonly subscriptions: readonly StoreSubscription[];
  readonly queuedCount: number;
  readonly queuedBytes: number;
  readonly nextSequence: number;
}

export interface StoreLoaded {
  /** The store's own time, if it keeps one. */
  readonly time?: { readonly nowMs: number; readonly doubt: string | undefined } | undefined;
  readonly sessions: Iterable<StoreLoadedSession>;
  readonly retained: Iterable<{ readonly topic: string; readonly bytes: number; readonly expiresAtMs: number }>;
}

export interface StoreMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties | undefined;
}

export interface StoreOutgoingMessage extends StoreMessage {
  readonly entry: StoreEntry;
}

export interface StoreInflight {
  putOutgoing(packetId: number, sequence: number, message: StoreOutgoingMessage): void;
  releaseOutgoing(packetId: number): void;
  deleteOutgoing(packetId: number): void;
  putIncoming(packetId: number): void;
  deleteIncoming(packetId: number): void;
  clear(): void;
  commit(): Promise<void> | undefined;
}

export interface StoreSavedInflight {
  readonly outgoing: readonly {
    readonly packetId: number;
    readonly sequence: number;
    readonly message: StoreMessage | undefined;
  }[];
  readonly incoming: readonly number[];
}

export interface StoreUnderTest {
  readonly durable: boolean;
  readonly failure: { readonly code: string } | undefined;
  open(): Promise<StoreLoaded>;
  putSession(session: StoreSession): void;
  deleteSession(clientId: string): void;
  putSubscription(clientId: string, subscription: StoreSubscription): void;
  deleteSubscription(clientId: string, filter: string): void;
  enqueue(clientId: string, entry: StoreEntry): void;
  dequeue(clientId: string, sequence: number): void;
  readQueue(clientId: string, fromSequence: number, maxCount: number, maxBytes: number): StoreEntry[];
  inflight(clientId: string): StoreInflight;
  loadInflight(clientId: string): StoreSavedInflight;
  putRetained(publication: StorePublication): void;
  deleteRetained(topic: string): void;
  readRetained(topic: string): StorePublication | undefined;
  commit(): Promise<void> | undefined;
  close(): Promise<void>;
}
