import type { Publication } from "@tidewire/broker";
import { damaged } from "./failure.ts";
import { readBody, readEntry, readOutgoingHeader, readRetained } from "./message-records.ts";
import { RECORD_KINDS } from "./record-frame.ts";
import type { RecordReader } from "./record-reader.ts";
import { readSession, readSubscription } from "./session-records.ts";

/** The tables that hold what the broker keeps. */
export const CONTENT_TABLES = [
  "sessions",
  "subscriptions",
  "queue",
  "outgoing",
  "incoming",
  "retained",
  "bodies",
] as const;

export type ContentTable = (typeof CONTENT_TABLES)[number];

/** Reads a record as a whole. Returns the body that it refers to, if it does. Throws `store-corrupt`. */
export function checkRecord(table: ContentTable, reader: RecordReader, key: Buffer, value: Buffer): number | undefined {
  const length = KEY_BYTES[table];
  if (length !== undefined && key.length !== length) {
    throw damaged("a record has a key of the wrong length");
  }
  if (table === "incoming") {
    if (value.length > 0) {
      throw damaged("a record holds something where nothing is kept");
    }
    return undefined;
  }
  let bodyId: number | undefined;
  const fetch = (id: number): Publication => {
    bodyId = id;
    return NOTHING;
  };
  reader.start(value);
  switch (table) {
    case "sessions":
      readSession(reader);
      break;
    case "subscriptions":
      readSubscription(reader);
      break;
    case "queue":
      readEntry(reader, 0, fetch);
      break;
    case "outgoing":
      if (readOutgoingHeader(reader).sequence !== undefined) {
        readEntry(reader, 0, fetch);
      }
      break;
    case "retained":
      readRetained(reader, fetch);
      break;
    case "bodies":
      readBody(reader, 0);
      break;
  }
  return bodyId;
}

/** The table that a record belongs to, told by the record alone; undefined when that cannot be told. */
export function tableOf(key: Buffer, value: Buffer): ContentTable | undefined {
  if (value.length === 0) {
    return key.length === KEY_BYTES.incoming ? "incoming" : undefined;
  }
  const table = TABLES.get(value[0]!);
  return table !== undefined && key.length === (KEY_BYTES[table] ?? key.length) ? table : undefined;
}

const KEY_BYTES: Partial<Record<ContentTable, number>> = {
  sessions: 6,
  queue: 12,
  outgoing: 8,
  incoming: 8,
  bodies: 6,
};

const TABLES: ReadonlyMap<number, ContentTable> = new Map([
  [RECORD_KINDS.session, "sessions"],
  [RECORD_KINDS.subscription, "subscriptions"],
  [RECORD_KINDS.entry, "queue"],
  [RECORD_KINDS.outgoing, "outgoing"],
  [RECORD_KINDS.retained, "retained"],
  [RECORD_KINDS.body, "bodies"],
]);

const NOTHING: Publication = {
  topic: "",
  payload: new Uint8Array(),
  qos: 0,
  retain: false,
  properties: undefined,
  receivedAtMs: 0,
  expiresAtMs: 0,
  publisher: undefined,
  storedId: undefined,
};
