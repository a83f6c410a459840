import type { Publication, QueueEntry } from "@tidewire/broker";
import { readProperties, writeProperties } from "./property-records.ts";
import type { RecordKind } from "./record-frame.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

/*
 * How messages are written. A record that refers to a publication either holds it (inline) or names its id in the
 * table of shared bodies; the id and the payload's size stand at the front, so that counting and freeing need not read
 * the rest.
 */

/** The part of a record that can be read without the message itself. */
export interface EntryHeader {
  readonly payloadBytes: number;
  /** Undefined when the publication is inside the record. */
  readonly bodyId: number | undefined;
}

/** Finds the publication of a record that only refers to it. */
export type FetchBody = (bodyId: number) => Publication;

export function writeBody(writer: RecordWriter, publication: Publication): void {
  writer.kind("body");
  writePublication(writer, publication);
}

export function readBody(reader: RecordReader, bodyId: number): Publication {
  reader.kind("body");
  return readPublication(reader, bodyId);
}

/** A queue entry without its sequence, which is in the key. `bodyId` undefined: the publication goes in here. */
export function writeEntry(writer: RecordWriter, entry: QueueEntry, bodyId: number | undefined): void {
  const { publication, subscriptionIdentifiers, sharedFilter } = entry;
  writer.kind("entry");
  writer.u8(
    entry.qos |
      (entry.retain ? RETAIN : 0) |
      (bodyId === undefined ? INLINE : 0) |
      (subscriptionIdentifiers === undefined ? 0 : SUBSCRIPTION_IDENTIFIERS) |
      (sharedFilter === undefined ? 0 : SHARED_FILTER),
  );
  writer.u32(publication.payload.length);
  if (bodyId !== undefined) {
    writer.u48(bodyId);
  }
  if (subscriptionIdentifiers !== undefined) {
    writer.u16(subscriptionIdentifiers.length);
    for (const identifier of subscriptionIdentifiers) {
      writer.u32(identifier);
    }
  }
  if (sharedFilter !== undefined) {
    writer.text(sharedFilter);
  }
  if (bodyId === undefined) {
    writePublication(writer, publication);
  }
}

export function readEntryHeader(reader: RecordReader, kind: RecordKind = "entry"): EntryHeader {
  reader.kind(kind);
  const flags = reader.u8();
  const payloadBytes = reader.u32();
  return { payloadBytes, bodyId: (flags & INLINE) === 0 ? reader.u48() : undefined };
}

export function readEntry(reader: RecordReader, sequence: number, fetch: FetchBody): QueueEntry {
  reader.kind("entry");
  const flags = reader.u8();
  reader.u32();
  const bodyId = (flags & INLINE) === 0 ? reader.u48() : undefined;
  const subscriptionIdentifiers =
    (flags & SUBSCRIPTION_IDENTIFIERS) === 0 ? undefined : Array.from({ length: reader.u16() }, () => reader.u32());
  const sharedFilter = (flags & SHARED_FILTER) === 0 ? undefined : reader.text();
  // Fetching reads another record with the same reader, so it comes last.
  const publication = bodyId === undefined ? readPublication(reader, undefined) : fetch(bodyId);
  const qos = (flags & QOS) as QueueEntry["qos"];
  return { sequence, publication, qos, retain: (flags & RETAIN) !== 0, subscriptionIdentifiers, sharedFilter };
}

/** An in-flight message: `order` is that of sending. `entry` undefined: PUBREC came, PUBREL is owed. */
export function writeOutgoing(
  writer: RecordWriter,
  order: number,
  entry: QueueEntry | undefined,
  bodyId: number | undefined,
): void {
  writer.kind("outgoing");
  writer.u8(entry === undefined ? RELEASED : 0);
  writer.u48(order);
  if (entry === undefined) {
    return;
  }
  writer.u48(entry.sequence);
  writeEntry(writer, entry, bodyId);
}

export interface OutgoingHeader {
  readonly order: number;
  /** Undefined once released. */
  readonly sequence: number | undefined;
}

/** Leaves the reader where `readEntry` or `readEntryHeader` goes on, unless the message was released. */
export function readOutgoingHeader(reader: RecordReader): OutgoingHeader {
  reader.kind("outgoing");
  const released = reader.u8() === RELEASED;
  const order = reader.u48();
  return { order, sequence: released ? undefined : reader.u48() };
}

/** What start-up needs of a retained message comes first. */
export function writeRetained(writer: RecordWriter, publication: Publication, bodyId: number | undefined): void {
  writer.kind("retained");
  writer.u8(bodyId === undefined ? INLINE : 0);
  writer.u32(publication.payload.length);
  if (bodyId !== undefined) {
    writer.u48(bodyId);
  }
  writer.time(publication.expiresAtMs);
  writer.text(publication.topic);
  if (bodyId === undefined) {
    writePublication(writer, publication);
  }
}

export interface RetainedHeader extends EntryHeader {
  readonly expiresAtMs: number;
  readonly topic: string;
}

/** Leaves the reader at the publication, if it is inline. */
export function readRetainedHeader(reader: RecordReader): RetainedHeader {
  const { payloadBytes, bodyId } = readEntryHeader(reader, "retained");
  return { payloadBytes, bodyId, expiresAtMs: reader.time(), topic: reader.text() };
}

export function readRetained(reader: RecordReader, fetch: FetchBody): Publication {
  const { bodyId } = readRetainedHeader(reader);
  return bodyId === undefined ? readPublication(reader, undefined) : fetch(bodyId);
}

function writePublication(writer: RecordWriter, publication: Publication): void {
  const { properties, publisher, publisherUser } = publication;
  const expires = publication.expiresAtMs !== Number.POSITIVE_INFINITY;
  writer.u8(
    publication.qos |
      (publication.retain ? RETAIN : 0) |
      (properties === undefined ? 0 : PROPERTIES) |
      (publisher === undefined ? 0 : PUBLISHER) |
      (publisherUser === undefined ? 0 : PUBLISHER_USER) |
      (expires ? EXPIRES : 0),
  );
  writer.time(publication.receivedAtMs);
  if (expires) {
    writer.time(publication.expiresAtMs);
  }
  writer.text(publication.topic);
  if (publisher !== undefined) {
    writer.text(publisher);
  }
  if (publisherUser !== undefined) {
    writer.text(publisherUser);
  }
  if (properties !== undefined) {
    writeProperties(writer, properties);
  }
  writer.bytes(publication.payload);
}

function readPublication(reader: RecordReader, storedId: number | undefined): Publication {
  const flags = reader.u8();
  const receivedAtMs = reader.time();
  const expiresAtMs = (flags & EXPIRES) === 0 ? Number.POSITIVE_INFINITY : reader.time();
  const topic = reader.text();
  const publisher = (flags & PUBLISHER) === 0 ? undefined : reader.text();
  const publisherUser = (flags & PUBLISHER_USER) === 0 ? undefined : reader.text();
  const properties = (flags & PROPERTIES) === 0 ? undefined : readProperties(reader);
  const payload = reader.rest();
  const qos = (flags & QOS) as Publication["qos"];
  const retain = (flags & RETAIN) !== 0;
  return { topic, payload, qos, retain, properties, receivedAtMs, expiresAtMs, publisher, publisherUser, storedId };
}

// Flags of entries, of retained messages (INLINE only) and of publications.
const QOS = 0x03;
const RETAIN = 0x04;
const INLINE = 0x08;
const SUBSCRIPTION_IDENTIFIERS = 0x10;
const SHARED_FILTER = 0x20;
const PROPERTIES = 0x08;
const PUBLISHER = 0x10;
const EXPIRES = 0x20;
const PUBLISHER_USER = 0x40;
/** State of an in-flight record. */
const RELEASED = 1;
