import type {
  StoreEntry,
  StoreInflight,
  StoreLoaded,
  StoreLoadedSession,
  StoreOutgoingMessage,
  StorePublication,
  StoreSavedInflight,
  StoreSession,
  StoreSubscription,
  StoreUnderTest,
} from "./contract.ts";
import type { StoreHarness } from "./harness.ts";

/** What outlives a reference store: the changes that were committed, in order. */
export class ReferenceDisk {
  readonly written: Change[] = [];
  full = false;
}

/** A step that brings the state one write further. */
export type Change = (state: State) => void;

interface State {
  readonly sessions: Map<string, SessionState>;
  readonly retained: Map<string, StorePublication>;
}

interface SessionState {
  session: StoreSession | undefined;
  readonly subscriptions: Map<string, StoreSubscription>;
  readonly queue: Map<number, StoreEntry>;
  readonly outgoing: Map<number, { readonly sequence: number; readonly message: StoreOutgoingMessage | undefined }>;
  readonly incoming: Set<number>;
}

/**
 * The plainest store that keeps the contract: it stages changes, applies them to a state in memory at once, and a
 * commit appends them to the "disk". For simulations in which a store crashes and loses what was not committed, and as
 * the thing that saboteurs break.
 */
export function referenceStore(disk: ReferenceDisk): StoreUnderTest {
  return new ReferenceStore(disk);
}

/** A harness with a disk of its own for reference stores, or for what `wrap` makes of them. */
export function referenceHarness(wrap: (store: StoreUnderTest) => StoreUnderTest = (store) => store): StoreHarness {
  const disk = new ReferenceDisk();
  let current: ReferenceStore | undefined;
  return {
    create: () => {
      current = new ReferenceStore(disk);
      return wrap(current);
    },
    crash: async () => current?.kill(),
    fillDisk: async () => {
      disk.full = true;
    },
    freeDisk: async () => {
      disk.full = false;
    },
  };
}

class ReferenceStore implements StoreUnderTest {
  readonly durable = true;
  failure: { readonly code: string } | undefined;
  readonly #disk: ReferenceDisk;
  readonly #state: State = { sessions: new Map(), retained: new Map() };
  #staged: Change[] = [];
  #dead = false;

  constructor(disk: ReferenceDisk) {
    this.#disk = disk;
  }

  async open(): Promise<StoreLoaded> {
    for (const change of this.#disk.written) {
      change(this.#state);
    }
    const sessions: StoreLoadedSession[] = [];
    for (const { session, subscriptions, queue, outgoing } of this.#state.sessions.values()) {
      if (session === undefined) {
        continue;
      }
      const entries = [...queue.values()];
      const sent = [...outgoing.values()].map(({ message }) => message?.entry.sequence ?? -1);
      const nextSequence = Math.max(-1, ...sent, ...queue.keys()) + 1;
      const crashed = session.disconnectedAtMs === undefined;
      sessions.push({
        ...session,
        disconnectedAtMs: session.disconnectedAtMs ?? Date.now(),
        maybeSentBelow: crashed ? nextSequence : session.maybeSentBelow,
        subscriptions: [...subscriptions.values()],
        queuedCount: entries.length,
        queuedBytes: entries.reduce((sum, { publication }) => sum + publication.payload.length, 0),
        nextSequence,
      });
    }
    const retained = [...this.#state.retained.values()].map(({ topic, payload, expiresAtMs }) => {
      return { topic, bytes: payload.length, expiresAtMs };
    });
    return { sessions, retained };
  }

  /** The process is over: what is staged goes nowhere. */
  kill(): void {
    this.#dead = true;
  }

  putSession(session: StoreSession): void {
    this.#change((state) => {
      sessionOf(state, session.clientId).session = session;
    });
  }

  deleteSession(clientId: string): void {
    this.#change(({ sessions }) => sessions.delete(clientId));
  }

  putSubscription(clientId: string, subscription: StoreSubscription): void {
    this.#change((state) => sessionOf(state, clientId).subscriptions.set(subscription.filter, subscription));
  }

  deleteSubscription(clientId: string, filter: string): void {
    this.#change((state) => sessionOf(state, clientId).subscriptions.delete(filter));
  }

  enqueue(clientId: string, entry: StoreEntry): void {
    this.#change((state) => sessionOf(state, clientId).queue.set(entry.sequence, entry));
  }

  dequeue(clientId: string, sequence: number): void {
    this.#change((state) => sessionOf(state, clientId).queue.delete(sequence));
  }

  readQueue(clientId: string, fromSequence: number, maxCount: number, maxBytes: number): StoreEntry[] {
    const entries: StoreEntry[] = [];
    let bytes = 0;
    for (const entry of this.#state.sessions.get(clientId)?.queue.values() ?? []) {
      if (entry.sequence < fromSequence) {
        continue;
      }
      bytes += entry.publication.payload.length;
      if (entries.length === maxCount || (bytes > maxBytes && entries.length > 0)) {
        break;
      }
      entries.push(entry);
    }
    return entries;
  }

  inflight(clientId: string): StoreInflight {
    const own = sessionOf(this.#state, clientId);
    const change = (apply: (session: SessionState) => void): void => {
      if (this.#state.sessions.get(clientId) !== own) {
        return;
      }
      this.#change((state) => apply(sessionOf(state, clientId)));
    };
    return {
      putOutgoing: (packetId, sequence, message) =>
        change(({ outgoing, queue }) => {
          outgoing.set(packetId, { sequence, message });
          queue.delete(message.entry.sequence);
        }),
      releaseOutgoing: (packetId) =>
        change(({ outgoing }) => {
          const sent = outgoing.get(packetId);
          if (sent !== undefined) {
            outgoing.set(packetId, { ...sent, message: undefined });
          }
        }),
      deleteOutgoing: (packetId) => change(({ outgoing }) => outgoing.delete(packetId)),
      putIncoming: (packetId) => change(({ incoming }) => incoming.add(packetId)),
      deleteIncoming: (packetId) => change(({ incoming }) => incoming.delete(packetId)),
      clear: () =>
        change(({ outgoing, incoming }) => {
          outgoing.clear();
          incoming.clear();
        }),
      commit: () => this.commit(),
    };
  }

  loadInflight(clientId: string): StoreSavedInflight {
    const own = this.#state.sessions.get(clientId);
    if (own === undefined) {
      return { outgoing: [], incoming: [] };
    }
    const messages = [...own.outgoing].map(([packetId, sent]) => ({ packetId, ...sent }));
    messages.sort((one, other) => one.sequence - other.sequence);
    return { outgoing: messages, incoming: [...own.incoming] };
  }

  putRetained(publication: StorePublication): void {
    this.#change(({ retained }) => retained.set(publication.topic, publication));
  }

  deleteRetained(topic: string): void {
    this.#change(({ retained }) => retained.delete(topic));
  }

  readRetained(topic: string): StorePublication | undefined {
    return this.#state.retained.get(topic);
  }

  commit(): Promise<void> | undefined {
    if (this.#staged.length === 0) {
      return undefined;
    }
    return Promise.resolve().then(() => this.#write());
  }

  async close(): Promise<void> {
    await this.commit();
  }

  #write(): void {
    if (this.#dead) {
      return;
    }
    if (this.#disk.full) {
      const error = Object.assign(new Error("the disk is full"), { code: "store-full" });
      this.failure = error;
      throw error;
    }
    this.failure = undefined;
    this.#disk.written.push(...this.#staged.splice(0));
  }

  #change(change: Change): void {
    change(this.#state);
    this.#staged.push(change);
  }
}

function sessionOf(state: State, clientId: string): SessionState {
  let session = state.sessions.get(clientId);
  if (session === undefined) {
    session = {
      session: undefined,
      subscriptions: new Map(),
      queue: new Map(),
      outgoing: new Map(),
      incoming: new Set(),
    };
    state.sessions.set(clientId, session);
  }
  return session;
}
