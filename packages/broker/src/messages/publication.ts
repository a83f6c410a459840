import type { Properties, QoS } from "@tidewire/codec";
import type { Message } from "@tidewire/session";
import type { Publication } from "../storage/index.ts";

/** A publication on its way through the broker. */
export class IncomingPublication implements Publication {
  readonly topic: string;
  payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties | undefined;
  readonly publisher: string | undefined;
  readonly publisherUser: string | undefined;
  readonly receivedAtMs: number;
  readonly expiresAtMs: number;
  storedId: number | undefined = undefined;

  constructor(
    topic: string,
    payload: Uint8Array,
    qos: QoS,
    retain: boolean,
    properties: Properties | undefined,
    publisher: string | undefined,
    receivedAtMs: number,
    publisherUser?: string,
  ) {
    this.topic = topic;
    this.payload = payload;
    this.qos = qos;
    this.retain = retain;
    this.properties = properties;
    this.publisher = publisher;
    this.publisherUser = publisherUser;
    this.receivedAtMs = receivedAtMs;
    const expiry = properties?.messageExpiryInterval;
    this.expiresAtMs = expiry === undefined ? Number.POSITIVE_INFINITY : receivedAtMs + expiry * 1000;
  }

  asQoS0(): Message {
    return { topic: this.topic, payload: this.payload, qos: 0, retain: this.retain, properties: this.properties };
  }

  /**
   * To be called before the publication outlives the turn: a received payload is a view of its chunk, and a small
   * message must not keep 64 KiB alive.
   */
  keep(): void {
    const payload = this.payload;
    if (payload.buffer.byteLength > 2 * payload.byteLength && payload.buffer.byteLength > POOL_SIZE) {
      this.payload = Buffer.from(payload);
    }
  }
}

/** Small buffers share one of Node's pool slabs of this size; copying out of it would gain nothing. */
const POOL_SIZE = 8192;

/** Whether it is too late to begin delivering this. */
export function isExpired(publication: Publication, nowMs: number): boolean {
  return publication.expiresAtMs <= nowMs;
}

/**
 * The properties one receiver gets: what remains of the Message Expiry Interval [MQTT-3.3.2-6], the identifiers of its
 * own subscriptions, and everything else as published.
 */
export function outgoingProperties(
  publication: Publication,
  subscriptionIdentifiers: readonly number[] | undefined,
  nowMs: number,
): Properties | undefined {
  const properties = publication.properties;
  const waited = publication.expiresAtMs !== Number.POSITIVE_INFINITY && nowMs - publication.receivedAtMs >= 1000;
  if (subscriptionIdentifiers === undefined && !waited) {
    return properties;
  }
  const outgoing: Properties = { ...properties };
  if (waited) {
    outgoing.messageExpiryInterval = Math.max(0, Math.ceil((publication.expiresAtMs - nowMs) / 1000));
  }
  if (subscriptionIdentifiers !== undefined) {
    outgoing.subscriptionIdentifiers = subscriptionIdentifiers;
  }
  return outgoing;
}
