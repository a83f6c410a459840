import type { StoredSession, StoredSubscription } from "@tidewire/broker";
import { readProperties, writeProperties } from "./property-records.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

type Will = NonNullable<StoredSession["will"]>;

/** The client id stands at the front: start-up reads it alone first. */
export function writeSession(writer: RecordWriter, session: StoredSession): void {
  const { disconnectedAtMs, username, will, willAtMs, maybeSentBelow } = session;
  writer.kind("session");
  writer.text(session.clientId);
  writer.u8(
    (disconnectedAtMs === undefined ? 0 : DISCONNECTED) |
      (username === undefined ? 0 : USERNAME) |
      (will === undefined ? 0 : WILL) |
      (willAtMs === undefined ? 0 : WILL_WAITS) |
      (maybeSentBelow === undefined ? 0 : MAYBE_SENT),
  );
  writer.u8(session.version);
  writer.f64(session.sessionExpiryInterval);
  if (disconnectedAtMs !== undefined) {
    writer.time(disconnectedAtMs);
  }
  if (username !== undefined) {
    writer.text(username);
  }
  if (willAtMs !== undefined) {
    writer.time(willAtMs);
  }
  if (maybeSentBelow !== undefined) {
    writer.u48(maybeSentBelow);
  }
  if (will !== undefined) {
    writeWill(writer, will);
  }
}

export function readClientId(reader: RecordReader): string {
  reader.kind("session");
  return reader.text();
}

export function readSession(reader: RecordReader): StoredSession {
  const clientId = readClientId(reader);
  const flags = reader.u8();
  const version = reader.u8() as StoredSession["version"];
  const sessionExpiryInterval = reader.f64();
  const disconnectedAtMs = (flags & DISCONNECTED) === 0 ? undefined : reader.time();
  const username = (flags & USERNAME) === 0 ? undefined : reader.text();
  const willAtMs = (flags & WILL_WAITS) === 0 ? undefined : reader.time();
  const maybeSentBelow = (flags & MAYBE_SENT) === 0 ? undefined : reader.u48();
  const will = (flags & WILL) === 0 ? undefined : readWill(reader);
  return { clientId, version, sessionExpiryInterval, disconnectedAtMs, username, will, willAtMs, maybeSentBelow };
}

export function writeSubscription(writer: RecordWriter, subscription: StoredSubscription): void {
  const { subscriptionIdentifier } = subscription;
  writer.kind("subscription");
  writer.text(subscription.filter);
  writer.u8(
    subscription.qos |
      (subscription.noLocal ? NO_LOCAL : 0) |
      (subscription.retainAsPublished ? RETAIN_AS_PUBLISHED : 0) |
      (subscription.retainHandling << RETAIN_HANDLING_SHIFT) |
      (subscriptionIdentifier === undefined ? 0 : IDENTIFIER),
  );
  if (subscriptionIdentifier !== undefined) {
    writer.u32(subscriptionIdentifier);
  }
}

export function readSubscription(reader: RecordReader): StoredSubscription {
  reader.kind("subscription");
  const filter = reader.text();
  const options = reader.u8();
  return {
    filter,
    qos: (options & QOS) as StoredSubscription["qos"],
    noLocal: (options & NO_LOCAL) !== 0,
    retainAsPublished: (options & RETAIN_AS_PUBLISHED) !== 0,
    retainHandling: ((options >> RETAIN_HANDLING_SHIFT) & QOS) as StoredSubscription["retainHandling"],
    subscriptionIdentifier: (options & IDENTIFIER) === 0 ? undefined : reader.u32(),
  };
}

function writeWill(writer: RecordWriter, will: Will): void {
  writer.u8(will.qos | (will.retain ? WILL_RETAIN : 0) | (will.properties === undefined ? 0 : WILL_PROPERTIES));
  writer.text(will.topic);
  if (will.properties !== undefined) {
    writeProperties(writer, will.properties);
  }
  writer.bytes(will.payload);
}

function readWill(reader: RecordReader): Will {
  const flags = reader.u8();
  const topic = reader.text();
  const properties = (flags & WILL_PROPERTIES) === 0 ? undefined : readProperties(reader);
  return {
    topic,
    payload: reader.rest(),
    qos: (flags & QOS) as Will["qos"],
    retain: (flags & WILL_RETAIN) !== 0,
    properties,
  };
}

const DISCONNECTED = 0x01;
const USERNAME = 0x02;
const WILL = 0x04;
const WILL_WAITS = 0x08;
const MAYBE_SENT = 0x10;

// The options of a subscription lie as in SUBSCRIBE (MQTT 5.0, 3.8.3.1); the highest bit there is reserved.
const QOS = 0x03;
const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;
const RETAIN_HANDLING_SHIFT = 4;
const IDENTIFIER = 0x80;

const WILL_RETAIN = 0x04;
const WILL_PROPERTIES = 0x08;
