import type { Publication } from "@tidewire/broker";
import type { StagedBodies } from "./bodies.ts";
import { type Moment, putMoment } from "./clock.ts";
import type { Table, Tables } from "./database.ts";
import { bodyKey, packetKey, queueKey, sessionKey, sessionRange, subscriptionKey, topicKey } from "./keys.ts";
import {
  readEntryHeader,
  readOutgoingHeader,
  readRetainedHeader,
  writeBody,
  writeEntry,
  writeOutgoing,
  writeRetained,
} from "./message-records.ts";
import type { RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";
import { writeSession, writeSubscription } from "./session-records.ts";
import type { SessionChanges, SessionState } from "./session-state.ts";

/** Everything that is staged: what differs from the database, as it is to be after the next commit. */
export interface Staged {
  readonly sessions: Set<SessionState>;
  readonly retained: Map<string, Publication | undefined>;
  readonly bodies: StagedBodies;
  /** Deleted sessions with records left. */
  readonly doomed: Set<number>;
}

/**
 * Writes what is staged in the running transaction. It changes nothing but the database (`dequeued` is set anew each
 * time), so that a failed transaction can be tried again; `settle` follows a successful one.
 */
export class BatchWriter {
  readonly #tables: Tables;
  readonly #writer: RecordWriter;
  readonly #reader: RecordReader;
  readonly #purgeLimit: number;
  /** References of removed records, by body. */
  readonly #freed = new Map<number, number>();
  /** Doomed sessions of which nothing is left. */
  readonly #purged: number[] = [];

  constructor(tables: Tables, writer: RecordWriter, reader: RecordReader, purgeLimit: number) {
    this.#tables = tables;
    this.#writer = writer;
    this.#reader = reader;
    this.#purgeLimit = purgeLimit;
  }

  write(staged: Staged, moment: Moment): void {
    this.#freed.clear();
    this.#purged.length = 0;
    for (const state of staged.sessions) {
      if (state.deleted) {
        this.#removeSession(state);
      } else {
        this.#writeChanges(state, state.changes!, staged.bodies);
      }
    }
    for (const [topic, publication] of staged.retained) {
      this.#writeRetained(topic, publication, staged.bodies);
    }
    this.#purge(staged);
    this.#writeBodies(staged.bodies);
    putMoment(this.#tables.meta, moment);
  }

  /** Takes note of what the transaction did. */
  settle(staged: Staged): void {
    for (const state of staged.sessions) {
      const { changes } = state;
      if (state.deleted) {
        if (state.stored) {
          staged.doomed.add(state.number);
        }
      } else if (changes !== undefined) {
        settleSession(state, changes, staged.bodies);
      }
      state.changes = undefined;
    }
    for (const number of this.#purged) {
      staged.doomed.delete(number);
    }
    staged.sessions.clear();
    staged.retained.clear();
    staged.bodies.settle();
  }

  #writeChanges(state: SessionState, changes: SessionChanges, bodies: StagedBodies): void {
    const writer = this.#writer;
    const { sessions, subscriptions } = this.#tables;
    if (changes.session !== undefined) {
      writer.start();
      writeSession(writer, changes.session);
      sessions.put(sessionKey(state.number), writer.finish());
    }
    for (const [filter, subscription] of changes.subscriptions) {
      const key = subscriptionKey(state.number, filter);
      if (subscription === undefined) {
        subscriptions.remove(key);
      } else {
        writer.start();
        writeSubscription(writer, subscription);
        subscriptions.put(key, writer.finish());
      }
    }
    this.#writeQueue(state, changes, bodies);
    this.#writeInflight(state, changes, bodies);
  }

  #writeQueue(state: SessionState, changes: SessionChanges, bodies: StagedBodies): void {
    const { queue } = this.#tables;
    changes.dequeued = 0;
    for (const [sequence, entry] of changes.queue) {
      const key = queueKey(state.number, sequence);
      if (entry !== undefined) {
        this.#writer.start();
        writeEntry(this.#writer, entry, bodies.recordId(entry.publication));
        queue.put(key, this.#writer.finish());
      } else if (this.#free(queue, key)) {
        changes.dequeued += 1;
      }
    }
  }

  #writeInflight(state: SessionState, changes: SessionChanges, bodies: StagedBodies): void {
    const { outgoing, incoming } = this.#tables;
    for (const [packetId, message] of changes.outgoing) {
      const bodyId = state.inflight?.outgoing.get(packetId)?.bodyId;
      if (bodyId !== undefined) {
        this.#countFreed(bodyId);
      }
      const key = packetKey(state.number, packetId);
      if (message === undefined) {
        outgoing.remove(key);
      } else {
        const { order, entry } = message;
        this.#writer.start();
        writeOutgoing(this.#writer, order, entry, entry && bodies.recordId(entry.publication));
        outgoing.put(key, this.#writer.finish());
      }
    }
    for (const [packetId, taken] of changes.incoming) {
      const key = packetKey(state.number, packetId);
      if (taken) {
        incoming.put(key, EMPTY);
      } else {
        incoming.remove(key);
      }
    }
  }

  #writeRetained(topic: string, publication: Publication | undefined, bodies: StagedBodies): void {
    const { retained } = this.#tables;
    const key = topicKey(topic);
    const former = retained.getBinaryFast(key);
    if (former !== undefined && this.#reader.tryStart(former)) {
      const { bodyId } = readRetainedHeader(this.#reader);
      if (bodyId !== undefined) {
        this.#countFreed(bodyId);
      }
    }
    if (publication !== undefined) {
      this.#writer.start();
      writeRetained(this.#writer, publication, bodies.recordId(publication));
      retained.put(key, this.#writer.finish());
    } else if (former !== undefined) {
      retained.remove(key);
    }
  }

  #removeSession(state: SessionState): void {
    if (!state.stored) {
      return;
    }
    this.#tables.sessions.remove(sessionKey(state.number));
    this.#tables.doomed.put(sessionKey(state.number), EMPTY);
  }

  /** Removes records of deleted sessions, so many at a time. */
  #purge(staged: Staged): void {
    const { subscriptions, queue, outgoing, incoming, doomed } = this.#tables;
    let left = this.#purgeLimit;
    const numbers = [...staged.doomed];
    for (const state of staged.sessions) {
      if (state.deleted && state.stored) {
        numbers.push(state.number);
      }
    }
    for (const number of numbers) {
      for (const table of [subscriptions, queue, outgoing, incoming]) {
        const keys = [...table.getKeys({ ...sessionRange(number), limit: left })];
        for (const key of keys) {
          this.#free(table, key);
        }
        left -= keys.length;
        if (left <= 0) {
          return;
        }
      }
      doomed.remove(sessionKey(number));
      this.#purged.push(number);
    }
  }

  /**
   * Removes a record and counts the reference it held. A damaged record can be removed, too: what it referred to stays
   * for good, and no other message is freed in its place.
   */
  #free(table: Table, key: Uint8Array): boolean {
    const { queue, outgoing } = this.#tables;
    if (table === queue || table === outgoing) {
      // Looked at before the next one is read, so that it need not be copied.
      const record = table.getBinaryFast(key);
      if (record === undefined) {
        return false;
      }
      const bodyId = this.#reader.tryStart(record) ? this.#bodyOf(table) : undefined;
      if (bodyId !== undefined) {
        this.#countFreed(bodyId);
      }
    }
    return table.removeSync(key);
  }

  #bodyOf(table: Table): number | undefined {
    const holds = table === this.#tables.queue || readOutgoingHeader(this.#reader).sequence !== undefined;
    return holds ? readEntryHeader(this.#reader).bodyId : undefined;
  }

  #countFreed(bodyId: number): void {
    this.#freed.set(bodyId, (this.#freed.get(bodyId) ?? 0) + 1);
  }

  #writeBodies(bodies: StagedBodies): void {
    for (const [id, body] of bodies.staged) {
      if (bodies.isInline(body)) {
        continue;
      }
      const before = body.fresh ? 0 : this.#references(id);
      // Freed and referred to again: whoever had the publication in memory brings it back.
      if (before === 0) {
        this.#putBody(id, body.publication);
      }
      this.#putReferences(id, before, before + body.references - (this.#freed.get(id) ?? 0));
      this.#freed.delete(id);
    }
    for (const [id, count] of this.#freed) {
      const before = this.#references(id);
      this.#putReferences(id, before, before - count);
    }
  }

  #putBody(id: number, publication: Publication): void {
    this.#writer.start();
    writeBody(this.#writer, publication);
    this.#tables.bodies.put(bodyKey(id), this.#writer.finish());
  }

  #references(id: number): number {
    const record = this.#tables.references.getBinary(bodyKey(id));
    if (record !== undefined) {
      return this.#reader.tryStart(record) ? this.#reader.u32() : UNKNOWN;
    }
    return this.#tables.bodies.doesExist(bodyKey(id)) ? 1 : 0;
  }

  #putReferences(id: number, before: number, after: number): void {
    const { references, bodies } = this.#tables;
    if (after === before) {
      return;
    }
    if (after > 1) {
      this.#writer.start();
      this.#writer.u32(after);
      references.put(bodyKey(id), this.#writer.finish());
      return;
    }
    if (before > 1) {
      references.remove(bodyKey(id));
    }
    if (after <= 0) {
      bodies.remove(bodyKey(id));
    }
  }
}

function settleSession(state: SessionState, changes: SessionChanges, bodies: StagedBodies): void {
  state.stored = true;
  let added = 0;
  for (const entry of changes.queue.values()) {
    if (entry !== undefined) {
      added += 1;
    }
  }
  state.queued += added - changes.dequeued;
  const { inflight } = state;
  if (inflight === undefined) {
    return;
  }
  for (const [packetId, message] of changes.outgoing) {
    if (message === undefined) {
      inflight.outgoing.delete(packetId);
    } else {
      const { order, entry } = message;
      inflight.outgoing.set(packetId, { order, bodyId: entry && bodies.recordId(entry.publication) });
    }
  }
  for (const [packetId, taken] of changes.incoming) {
    if (taken) {
      inflight.incoming.add(packetId);
    } else {
      inflight.incoming.delete(packetId);
    }
  }
  state.inflightStored = inflight.outgoing.size > 0 || inflight.incoming.size > 0;
  if (changes.session?.disconnectedAtMs !== undefined) {
    state.inflight = undefined;
  }
}

const EMPTY = Buffer.alloc(0);
/** References to a body whose count is damaged: more than will ever be taken away. */
const UNKNOWN = 0x7fff_ffff;
