import type { LoadedSession, LoadedState, StoredSubscription } from "@tidewire/broker";
import type { Table, Tables } from "./database.ts";
import { bodyIdOf, sequenceOf, sessionKey, sessionOf, sessionRange } from "./keys.ts";
import { readEntryHeader, readOutgoingHeader, readRetainedHeader } from "./message-records.ts";
import type { RecordReader } from "./record-reader.ts";
import { readClientId, readSession, readSubscription } from "./session-records.ts";
import { createSessionState, type SessionState } from "./session-state.ts";

/** What the store itself needs in memory after opening. */
export interface Loaded {
  readonly sessions: Map<string, SessionState>;
  readonly nextSession: number;
  readonly nextBody: number;
  readonly doomed: Set<number>;
  readonly state: LoadedState;
}

/**
 * Reads the sessions and counts their queues; subscriptions and retained topics are read as the caller asks for them.
 * `goneAtMs`: when sessions that were connected count as gone.
 */
export function load(tables: Tables, reader: RecordReader, goneAtMs: number | undefined): Loaded {
  const sessions = loadSessions(tables, reader);
  const doomed = new Set<number>();
  for (const key of tables.doomed.getKeys({ start: FIRST_KEY })) {
    doomed.add(sessionOf(key));
  }
  const counts = countMessages(tables, reader, (number) => {
    const state = sessions.get(number);
    // Left over without a session: of no use to anyone.
    if (state === undefined) {
      doomed.add(number);
    }
    return state;
  });
  const states = new Map<string, SessionState>();
  for (const state of sessions.values()) {
    states.set(state.clientId, state);
  }
  return {
    sessions: states,
    nextSession: lastSession(tables) + 1,
    nextBody: lastKey(tables.bodies, bodyIdOf) + 1,
    doomed,
    state: {
      sessions: eachSession(tables, reader, sessions.values(), counts, goneAtMs),
      retained: eachRetained(tables, reader),
    },
  };
}

/** By number. */
function loadSessions(tables: Tables, reader: RecordReader): Map<number, SessionState> {
  const sessions = new Map<number, SessionState>();
  for (const { key, value } of tables.sessions.getRange({ start: FIRST_KEY })) {
    const number = sessionOf(key);
    reader.start(value);
    sessions.set(number, createSessionState(readClientId(reader), number, true));
  }
  return sessions;
}

/** What one session has waiting. */
interface Count {
  bytes: number;
  lastSequence: number;
}

/** Notes in each state what the database has for it. Returns the rest of what the broker asks for, by number. */
function countMessages(
  tables: Tables,
  reader: RecordReader,
  find: (number: number) => SessionState | undefined,
): Map<number, Count> {
  const counts = new Map<number, Count>();
  const countOf = (number: number): Count => {
    let count = counts.get(number);
    if (count === undefined) {
      count = { bytes: 0, lastSequence: 0 };
      counts.set(number, count);
    }
    return count;
  };
  for (const { key, value } of tables.queue.getRange({ start: FIRST_KEY })) {
    const state = find(sessionOf(key));
    if (state === undefined) {
      continue;
    }
    reader.start(value);
    const count = countOf(state.number);
    count.bytes += readEntryHeader(reader).payloadBytes;
    count.lastSequence = sequenceOf(key);
    state.queued += 1;
  }
  for (const { key, value } of tables.outgoing.getRange({ start: FIRST_KEY })) {
    const state = find(sessionOf(key));
    if (state === undefined) {
      continue;
    }
    reader.start(value);
    const count = countOf(state.number);
    count.lastSequence = Math.max(count.lastSequence, readOutgoingHeader(reader).sequence ?? 0);
    state.inflightStored = true;
  }
  for (const key of tables.incoming.getKeys({ start: FIRST_KEY })) {
    const state = find(sessionOf(key));
    if (state !== undefined) {
      state.inflightStored = true;
    }
  }
  return counts;
}

/** The highest number in use, be it by something left over. */
function lastSession({ sessions, subscriptions, queue, outgoing, incoming, doomed }: Tables): number {
  const tables = [sessions, subscriptions, queue, outgoing, incoming, doomed];
  return Math.max(...tables.map((table) => lastKey(table, sessionOf)));
}

function lastKey(table: Table, numberOf: (key: Uint8Array) => number): number {
  for (const key of table.getKeys({ reverse: true, limit: 1 })) {
    return numberOf(key);
  }
  return 0;
}

function* eachSession(
  tables: Tables,
  reader: RecordReader,
  states: Iterable<SessionState>,
  counts: ReadonlyMap<number, Count>,
  goneAtMs: number | undefined,
): Generator<LoadedSession> {
  for (const { number, queued } of states) {
    reader.start(tables.sessions.getBinary(sessionKey(number))!);
    const session = readSession(reader);
    const subscriptions: StoredSubscription[] = [];
    for (const { value } of tables.subscriptions.getRange(sessionRange(number))) {
      reader.start(value);
      subscriptions.push(readSubscription(reader));
    }
    const { bytes = 0, lastSequence = 0 } = counts.get(number) ?? {};
    const nextSequence = lastSequence + 1;
    const wasConnected = session.disconnectedAtMs === undefined;
    yield {
      ...session,
      disconnectedAtMs: wasConnected ? goneAtMs : session.disconnectedAtMs,
      maybeSentBelow: wasConnected ? nextSequence : session.maybeSentBelow,
      subscriptions,
      queuedCount: queued,
      queuedBytes: bytes,
      nextSequence,
    };
  }
}

function* eachRetained(tables: Tables, reader: RecordReader): Generator<LoadedRetained> {
  for (const { value } of tables.retained.getRange({ start: FIRST_KEY })) {
    reader.start(value);
    const { topic, payloadBytes, expiresAtMs } = readRetainedHeader(reader);
    yield { topic, bytes: payloadBytes, expiresAtMs };
  }
}

type LoadedRetained = LoadedState["retained"] extends Iterable<infer Retained> ? Retained : never;

const FIRST_KEY = Buffer.of(0);
