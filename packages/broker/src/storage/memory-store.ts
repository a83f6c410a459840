import type { InflightStore, SavedInflight } from "@tidewire/session";
import { Deque } from "./deque.ts";
import type {
  BrokerStore,
  LoadedSession,
  LoadedState,
  OutgoingMessage,
  Publication,
  QueueEntry,
  StoredSession,
  StoredSubscription,
} from "./store.ts";

/**
 * Keeps everything in memory, for as long as the store object lives: a broker opened on it again finds what the last
 * one left, as with a durable store.
 */
export function memoryStore(): BrokerStore {
  return new MemoryStore();
}

interface MemorySession {
  record: StoredSession | undefined;
  subscriptions: Map<string, StoredSubscription> | undefined;
  queue: Deque<QueueEntry> | undefined;
  queuedBytes: number;
  nextSequence: number;
  inflight: MemoryInflight | undefined;
}

class MemoryStore implements BrokerStore {
  readonly durable = false;
  readonly failure = undefined;
  readonly #sessions = new Map<string, MemorySession>();
  readonly #retained = new Map<string, Publication>();

  async open(): Promise<LoadedState> {
    const sessions: LoadedSession[] = [];
    for (const session of this.#sessions.values()) {
      if (session.record !== undefined) {
        sessions.push({
          ...session.record,
          subscriptions: [...(session.subscriptions?.values() ?? [])],
          queuedCount: session.queue?.size ?? 0,
          queuedBytes: session.queuedBytes,
          nextSequence: session.nextSequence,
        });
      }
    }
    const retained = [...this.#retained.values()].map(({ topic, payload, expiresAtMs }) => {
      return { topic, bytes: payload.byteLength, expiresAtMs };
    });
    return { sessions, retained };
  }

  putSession(session: StoredSession): void {
    this.#session(session.clientId).record = session;
  }

  deleteSession(clientId: string): void {
    this.#sessions.delete(clientId);
  }

  putSubscription(clientId: string, subscription: StoredSubscription): void {
    const session = this.#session(clientId);
    session.subscriptions ??= new Map();
    session.subscriptions.set(subscription.filter, subscription);
  }

  deleteSubscription(clientId: string, filter: string): void {
    this.#sessions.get(clientId)?.subscriptions?.delete(filter);
  }

  enqueue(clientId: string, entry: QueueEntry): void {
    const session = this.#session(clientId);
    session.queue ??= new Deque();
    session.queue.push(entry);
    session.queuedBytes += entry.publication.payload.byteLength;
    session.nextSequence = entry.sequence + 1;
  }

  dequeue(clientId: string, sequence: number): void {
    const session = this.#sessions.get(clientId);
    const queue = session?.queue;
    if (queue === undefined) {
      return;
    }
    const index = indexOf(queue, sequence);
    const entry = queue.at(index);
    if (entry?.sequence === sequence) {
      queue.remove(index);
      session!.queuedBytes -= entry.publication.payload.byteLength;
    }
  }

  readQueue(clientId: string, fromSequence: number, maxCount: number, maxBytes: number): QueueEntry[] {
    const entries: QueueEntry[] = [];
    const queue = this.#sessions.get(clientId)?.queue;
    if (queue === undefined) {
      return entries;
    }
    let bytes = 0;
    for (let index = indexOf(queue, fromSequence); index < queue.size && entries.length < maxCount; index += 1) {
      const entry = queue.at(index)!;
      bytes += entry.publication.payload.byteLength;
      if (bytes > maxBytes && entries.length > 0) {
        break;
      }
      entries.push(entry);
    }
    return entries;
  }

  inflight(clientId: string): InflightStore<OutgoingMessage> {
    const session = this.#session(clientId);
    session.inflight ??= new MemoryInflight((sequence) => {
      this.dequeue(clientId, sequence);
      session.nextSequence = Math.max(session.nextSequence, sequence + 1);
    });
    return session.inflight;
  }

  loadInflight(clientId: string): SavedInflight<OutgoingMessage> {
    return this.#sessions.get(clientId)?.inflight?.saved() ?? { outgoing: [], incoming: [] };
  }

  putRetained(publication: Publication): void {
    this.#retained.set(publication.topic, publication);
  }

  deleteRetained(topic: string): void {
    this.#retained.delete(topic);
  }

  readRetained(topic: string): Publication | undefined {
    return this.#retained.get(topic);
  }

  commit(): undefined {
    return undefined;
  }

  async close(): Promise<void> {}

  #session(clientId: string): MemorySession {
    let session = this.#sessions.get(clientId);
    if (session === undefined) {
      session = {
        record: undefined,
        subscriptions: undefined,
        queue: undefined,
        queuedBytes: 0,
        nextSequence: 0,
        inflight: undefined,
      };
      this.#sessions.set(clientId, session);
    }
    return session;
  }
}

/** Place of the first entry with this sequence or a later one; entries leave at the front, so that is looked at first. */
function indexOf(queue: Deque<QueueEntry>, sequence: number): number {
  let low = 0;
  let high = queue.size;
  if (high === 0 || queue.at(0)!.sequence >= sequence) {
    return 0;
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (queue.at(middle)!.sequence < sequence) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

interface SentMessage {
  readonly packetId: number;
  readonly sequence: number;
  message: OutgoingMessage | undefined;
}

class MemoryInflight implements InflightStore<OutgoingMessage> {
  readonly #dequeue: (sequence: number) => void;
  #outgoing: Map<number, SentMessage> | undefined;
  #incoming: Set<number> | undefined;

  constructor(dequeue: (sequence: number) => void) {
    this.#dequeue = dequeue;
  }

  putOutgoing(packetId: number, sequence: number, message: OutgoingMessage): void {
    this.#outgoing ??= new Map();
    this.#outgoing.set(packetId, { packetId, sequence, message });
    this.#dequeue(message.entry.sequence);
  }

  releaseOutgoing(packetId: number): void {
    const sent = this.#outgoing?.get(packetId);
    if (sent !== undefined) {
      sent.message = undefined;
    }
  }

  deleteOutgoing(packetId: number): void {
    this.#outgoing?.delete(packetId);
  }

  putIncoming(packetId: number): void {
    this.#incoming ??= new Set();
    this.#incoming.add(packetId);
  }

  deleteIncoming(packetId: number): void {
    this.#incoming?.delete(packetId);
  }

  clear(): void {
    this.#outgoing = undefined;
    this.#incoming = undefined;
  }

  commit(): undefined {
    return undefined;
  }

  saved(): SavedInflight<OutgoingMessage> {
    const outgoing = [...(this.#outgoing?.values() ?? [])].map((sent) => ({ ...sent }));
    outgoing.sort((a, b) => a.sequence - b.sequence);
    return { outgoing, incoming: [...(this.#incoming ?? [])] };
  }
}
