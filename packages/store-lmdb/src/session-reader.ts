import type { BrokerStore, OutgoingMessage, Publication, QueueEntry } from "@tidewire/broker";
import type { Table, Tables } from "./database.ts";
import { damaged } from "./failure.ts";
import { bodyKey, packetIdOf, queueKey, sequenceOf, sessionRange } from "./keys.ts";
import { readBody, readEntry, readEntryHeader, readOutgoingHeader } from "./message-records.ts";
import type { RecordReader } from "./record-reader.ts";
import type { CommittedInflight, SessionState } from "./session-state.ts";

type SavedInflight = ReturnType<BrokerStore["loadInflight"]>;

/** Reads what the database has of sessions, with what is staged laid over it. */
export class SessionReader {
  readonly #tables: Tables;
  readonly #reader: RecordReader;
  readonly #fetch: (bodyId: number) => Publication;

  constructor(tables: Tables, reader: RecordReader) {
    this.#tables = tables;
    this.#reader = reader;
    this.#fetch = (bodyId) => fetchBody(tables.bodies, reader, bodyId);
  }

  queue(state: SessionState, fromSequence: number, maxCount: number, maxBytes: number): QueueEntry[] {
    const page = new Page(maxCount, maxBytes);
    const staged = state.changes?.queue;
    if (state.queued > 0) {
      const start = Buffer.from(queueKey(state.number, fromSequence));
      const { end } = sessionRange(state.number);
      for (const { key, value } of this.#tables.queue.getRange({ start, end })) {
        const sequence = sequenceOf(key);
        if (staged?.has(sequence)) {
          continue;
        }
        this.#reader.start(value);
        if (!page.add(readEntry(this.#reader, sequence, this.#fetch))) {
          return page.entries;
        }
      }
    }
    if (staged === undefined) {
      return page.entries;
    }
    for (const [sequence, entry] of staged) {
      if (entry !== undefined && sequence >= fromSequence && !page.add(entry)) {
        break;
      }
    }
    return page.entries;
  }

  /** The in-flight exchanges of the database, without their messages. */
  committedInflight(state: SessionState): CommittedInflight {
    const inflight: CommittedInflight = { outgoing: new Map(), incoming: new Set() };
    if (!state.inflightStored) {
      return inflight;
    }
    const range = sessionRange(state.number);
    for (const { key, value } of this.#tables.outgoing.getRange(range)) {
      this.#reader.start(value);
      const { order, sequence } = readOutgoingHeader(this.#reader);
      const bodyId = sequence === undefined ? undefined : readEntryHeader(this.#reader).bodyId;
      inflight.outgoing.set(packetIdOf(key), { order, bodyId });
    }
    for (const key of this.#tables.incoming.getKeys(range)) {
      inflight.incoming.add(packetIdOf(key));
    }
    return inflight;
  }

  inflight(state: SessionState): SavedInflight {
    const staged = state.changes;
    const outgoing: SavedInflight["outgoing"][number][] = [];
    const incoming = new Set<number>();
    if (state.inflightStored) {
      const range = sessionRange(state.number);
      for (const { key, value } of this.#tables.outgoing.getRange(range)) {
        const packetId = packetIdOf(key);
        if (staged?.outgoing.has(packetId)) {
          continue;
        }
        this.#reader.start(value);
        const { order, sequence } = readOutgoingHeader(this.#reader);
        const entry = sequence === undefined ? undefined : readEntry(this.#reader, sequence, this.#fetch);
        outgoing.push({ packetId, sequence: order, message: entry && outgoingMessage(entry) });
      }
      for (const key of this.#tables.incoming.getKeys(range)) {
        incoming.add(packetIdOf(key));
      }
    }
    for (const [packetId, message] of staged?.outgoing ?? []) {
      if (message === undefined) {
        continue;
      }
      const { order, entry } = message;
      outgoing.push({ packetId, sequence: order, message: entry && outgoingMessage(entry) });
    }
    for (const [packetId, taken] of staged?.incoming ?? []) {
      if (taken) {
        incoming.add(packetId);
      } else {
        incoming.delete(packetId);
      }
    }
    outgoing.sort((one, other) => one.sequence - other.sequence);
    return { outgoing, incoming: [...incoming] };
  }
}

/** Reads a publication that several records refer to. */
export function fetchBody(bodies: Table, reader: RecordReader, bodyId: number): Publication {
  const record = bodies.getBinary(bodyKey(bodyId));
  if (record === undefined) {
    throw damaged("a record refers to a publication that is not there");
  }
  reader.start(record);
  return readBody(reader, bodyId);
}

/** Entries until enough of them; the first always has room. */
class Page {
  readonly entries: QueueEntry[] = [];
  readonly #maxCount: number;
  #bytesLeft: number;

  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#bytesLeft = maxBytes;
  }

  /** False when it is full, with or without this entry. */
  add(entry: QueueEntry): boolean {
    if (this.entries.length >= this.#maxCount) {
      return false;
    }
    this.#bytesLeft -= entry.publication.payload.length;
    if (this.#bytesLeft < 0 && this.entries.length > 0) {
      return false;
    }
    this.entries.push(entry);
    return this.entries.length < this.#maxCount;
  }
}

/** As it was handed to the session; the broker knows what else goes on the wire with it. */
function outgoingMessage(entry: QueueEntry): OutgoingMessage {
  const { topic, payload, properties } = entry.publication;
  return { topic, payload, qos: entry.qos, retain: entry.retain, properties, entry };
}
