import type { BrokerStore, Publication, QueueEntry, StoredSession, StoredSubscription } from "@tidewire/broker";
import type { Staged } from "./batch.ts";
import { StagedBodies } from "./bodies.ts";
import type { Tables } from "./database.ts";
import { reading } from "./failure.ts";
import { SessionInflight } from "./inflight.ts";
import { topicKey } from "./keys.ts";
import type { Loaded } from "./load.ts";
import { readRetained } from "./message-records.ts";
import type { RecordReader } from "./record-reader.ts";
import { fetchBody, SessionReader } from "./session-reader.ts";
import { type CommittedInflight, createSessionState, SessionChanges, type SessionState } from "./session-state.ts";

/** The writes that wait for the next commit, and reads that see them. */
export class Staging implements Staged {
  readonly sessions: Set<SessionState> = new Set();
  readonly retained: Map<string, Publication | undefined> = new Map();
  readonly bodies: StagedBodies;
  readonly doomed: Set<number>;
  readonly #states: Map<string, SessionState>;
  readonly #tables: Tables;
  readonly #reader: RecordReader;
  readonly #sessionReader: SessionReader;
  readonly #directory: string;
  #nextSession: number;

  constructor(directory: string, tables: Tables, reader: RecordReader, loaded: Loaded, inlineBytes: number) {
    this.#directory = directory;
    this.#tables = tables;
    this.#reader = reader;
    this.#sessionReader = new SessionReader(tables, reader);
    this.#states = loaded.sessions;
    this.#nextSession = loaded.nextSession;
    this.doomed = loaded.doomed;
    this.bodies = new StagedBodies(loaded.nextBody, inlineBytes);
  }

  get isEmpty(): boolean {
    return this.sessions.size === 0 && this.retained.size === 0;
  }

  putSession(session: StoredSession): void {
    this.change(this.#state(session.clientId)).session = session;
  }

  deleteSession(clientId: string): void {
    const state = this.#states.get(clientId);
    if (state === undefined) {
      return;
    }
    this.#states.delete(clientId);
    for (const entry of state.changes?.queue.values() ?? []) {
      if (entry !== undefined) {
        this.bodies.withdraw(entry.publication);
      }
    }
    for (const message of state.changes?.outgoing.values() ?? []) {
      if (message?.entry !== undefined) {
        this.bodies.withdraw(message.entry.publication);
      }
    }
    state.deleted = true;
    state.changes = undefined;
    if (state.stored) {
      this.sessions.add(state);
    } else {
      this.sessions.delete(state);
    }
  }

  putSubscription(clientId: string, subscription: StoredSubscription): void {
    this.change(this.#state(clientId)).subscriptions.set(subscription.filter, subscription);
  }

  deleteSubscription(clientId: string, filter: string): void {
    this.change(this.#state(clientId)).subscriptions.set(filter, undefined);
  }

  enqueue(clientId: string, entry: QueueEntry): void {
    this.bodies.refer(entry.publication);
    this.change(this.#state(clientId)).queue.set(entry.sequence, entry);
  }

  dequeue(clientId: string, sequence: number): void {
    const state = this.#state(clientId);
    const { queue } = this.change(state);
    const entry = queue.get(sequence);
    if (entry !== undefined) {
      queue.delete(sequence);
      this.bodies.withdraw(entry.publication);
    } else if (state.queued > 0) {
      queue.set(sequence, undefined);
    }
  }

  readQueue(clientId: string, fromSequence: number, maxCount: number, maxBytes: number): QueueEntry[] {
    const state = this.#states.get(clientId);
    return state === undefined ? [] : this.#sessionReader.queue(state, fromSequence, maxCount, maxBytes);
  }

  inflight(clientId: string, commit: () => Promise<void> | undefined): ReturnType<BrokerStore["inflight"]> {
    return new SessionInflight(this, this.#state(clientId), commit);
  }

  loadInflight(clientId: string): ReturnType<BrokerStore["loadInflight"]> {
    const state = this.#states.get(clientId);
    return state === undefined ? { outgoing: [], incoming: [] } : this.#sessionReader.inflight(state);
  }

  putRetained(publication: Publication): void {
    this.bodies.refer(publication);
    this.#stageRetained(publication.topic, publication);
  }

  deleteRetained(topic: string): void {
    this.#stageRetained(topic, undefined);
  }

  readRetained(topic: string): Publication | undefined {
    if (this.retained.has(topic)) {
      return this.retained.get(topic);
    }
    const record = this.#tables.retained.getBinary(topicKey(topic));
    if (record === undefined) {
      return undefined;
    }
    this.#reader.start(record);
    return readRetained(this.#reader, (bodyId) => fetchBody(this.#tables.bodies, this.#reader, bodyId));
  }

  /** The changes of a session, to be added to. */
  change(state: SessionState): SessionChanges {
    if (state.changes === undefined) {
      state.changes = new SessionChanges();
      this.sessions.add(state);
    }
    return state.changes;
  }

  committedInflight(state: SessionState): CommittedInflight {
    state.inflight ??= reading(this.#directory, () => this.#sessionReader.committedInflight(state));
    return state.inflight;
  }

  #state(clientId: string): SessionState {
    let state = this.#states.get(clientId);
    if (state === undefined) {
      state = createSessionState(clientId, this.#nextSession, false);
      this.#nextSession += 1;
      this.#states.set(clientId, state);
    }
    return state;
  }

  #stageRetained(topic: string, publication: Publication | undefined): void {
    const former = this.retained.get(topic);
    this.retained.set(topic, publication);
    if (former !== undefined) {
      this.bodies.withdraw(former);
    }
  }
}
