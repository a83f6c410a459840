import type { Clock } from "./clock.ts";
import type { Deadlines } from "./deadlines.ts";
import { hasWildcard } from "./filter-tree.ts";
import { type BrokerLimits, RETAINED_SWEEP_MS } from "./limits.ts";
import type { MetricsRecorder } from "./metrics.ts";
import { type IncomingPublication, isExpired } from "./publication.ts";
import type { Storage } from "./storage.ts";
import type { BrokerStore, LoadedState, Publication } from "./store.ts";
import { TopicTree } from "./topic-tree.ts";

/** What is known of a retained message without reading it. */
export interface RetainedEntry {
  readonly topic: string;
  bytes: number;
  expiresAtMs: number;
}

/** Retained messages: an index in memory, for filters with wildcards too, and the messages in the store. */
export class RetainedMessages {
  readonly #index = new TopicTree<RetainedEntry>();
  readonly #storage: Storage;
  readonly #limits: BrokerLimits;
  readonly #metrics: MetricsRecorder;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  #sweeping = false;

  constructor(storage: Storage, limits: BrokerLimits, metrics: MetricsRecorder, clock: Clock, deadlines: Deadlines) {
    this.#storage = storage;
    this.#limits = limits;
    this.#metrics = metrics;
    this.#clock = clock;
    this.#deadlines = deadlines;
  }

  load(retained: LoadedState["retained"]): void {
    for (const { topic, bytes, expiresAtMs } of retained) {
      this.#put(topic, bytes, expiresAtMs);
    }
  }

  /** Whether there is room; a topic that has a message already needs none beyond its size. */
  accepts(topic: string, bytes: number): boolean {
    const before = this.#index.get(topic);
    if (bytes === 0) {
      return true;
    }
    const count = this.#metrics.retained + (before === undefined ? 1 : 0);
    const total = this.#metrics.retainedBytes + bytes - (before?.bytes ?? 0);
    return count <= this.#limits.retainedCount && total <= this.#limits.retainedBytes;
  }

  /** An empty payload deletes [MQTT-3.3.1-6]. */
  set(publication: IncomingPublication): void {
    if (publication.payload.byteLength === 0) {
      this.#delete(publication.topic);
      return;
    }
    publication.keep();
    const { topic, payload, expiresAtMs } = publication;
    this.#put(topic, payload.byteLength, expiresAtMs);
    this.#storeOf(topic).putRetained(publication);
  }

  read(topic: string): Publication | undefined {
    const entry = this.#index.get(topic);
    if (entry === undefined) {
      return undefined;
    }
    const publication = entry.expiresAtMs > this.#clock.nowMs() ? this.#storeOf(topic).readRetained(topic) : undefined;
    if (publication === undefined || isExpired(publication, this.#clock.nowMs())) {
      this.#delete(topic);
      return undefined;
    }
    return publication;
  }

  /** False when `match` would find none, as far as one look-up tells. */
  mayMatch(filter: string): boolean {
    return hasWildcard(filter) || this.#index.get(filter) !== undefined;
  }

  /** Found one by one, while they are asked for. */
  match(filter: string): Iterator<Readonly<RetainedEntry>, undefined> {
    return this.#index.match(filter);
  }

  /** Nobody may ever ask for an expired message again: from time to time all are looked at. */
  #scheduleSweep(): void {
    if (this.#sweeping) {
      return;
    }
    this.#sweeping = true;
    this.#deadlines.after(RETAINED_SWEEP_MS, () => {
      this.#sweeping = false;
      this.#sweep();
    });
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    for (const { topic, expiresAtMs } of this.#index.values()) {
      if (expiresAtMs <= nowMs) {
        this.#delete(topic);
      } else if (expiresAtMs !== Number.POSITIVE_INFINITY) {
        this.#scheduleSweep();
      }
    }
  }

  #put(topic: string, bytes: number, expiresAtMs: number): void {
    if (expiresAtMs !== Number.POSITIVE_INFINITY) {
      this.#scheduleSweep();
    }
    const entry = this.#index.get(topic);
    if (entry === undefined) {
      this.#index.set(topic, { topic, bytes, expiresAtMs });
      this.#metrics.retained += 1;
      this.#metrics.retainedBytes += bytes;
    } else {
      this.#metrics.retainedBytes += bytes - entry.bytes;
      entry.bytes = bytes;
      entry.expiresAtMs = expiresAtMs;
    }
  }

  #delete(topic: string): void {
    const entry = this.#index.get(topic);
    if (entry !== undefined) {
      this.#index.delete(topic);
      this.#metrics.retained -= 1;
      this.#metrics.retainedBytes -= entry.bytes;
      this.#storeOf(topic).deleteRetained(topic);
    }
  }

  #storeOf(topic: string): BrokerStore {
    return topic.startsWith("$SYS/") ? this.#storage.volatile : this.#storage.durable;
  }
}
