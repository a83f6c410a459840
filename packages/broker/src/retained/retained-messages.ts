import { type BrokerLimits, RETAINED_SWEEP_MS } from "../limits.ts";
import { type IncomingPublication, isExpired } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import { hasWildcard } from "../routing/index.ts";
import type { BrokerStore, LoadedState, Publication, Storage } from "../storage/index.ts";
import type { Clock, Deadlines } from "../time/index.ts";
import { TopicTree } from "./topic-tree.ts";

/** What is known of a retained message without reading it. */
export interface RetainedEntry {
  readonly topic: string;
  bytes: number;
  expiresAtMs: number;
}

/** What retained messages need of their broker. */
export interface RetainedNeeds {
  readonly clock: Pick<Clock, "nowMs">;
  readonly deadlines: Pick<Deadlines, "after">;
  readonly limits: BrokerLimits;
  readonly metrics: MetricsRecorder;
  readonly storage: Pick<Storage, "durable" | "volatile">;
}

/** Retained messages: an index in memory, for filters with wildcards too, and the messages in the store. */
export class RetainedMessages {
  readonly #index = new TopicTree<RetainedEntry>();
  readonly #needs: RetainedNeeds;
  #sweeping = false;

  constructor(needs: RetainedNeeds) {
    this.#needs = needs;
  }

  load(retained: LoadedState["retained"]): void {
    for (const { topic, bytes, expiresAtMs } of retained) {
      this.#put(topic, bytes, expiresAtMs);
    }
  }

  /** Whether there is room; a topic that has a message already needs none beyond its size. */
  accepts(topic: string, bytes: number): boolean {
    // The broker's own are few, and told from the application's figures.
    if (bytes === 0 || topic.startsWith(SYS_PREFIX)) {
      return true;
    }
    const before = this.#index.get(topic);
    const count = this.#needs.metrics.retained + (before === undefined ? 1 : 0);
    const total = this.#needs.metrics.retainedBytes + bytes - (before?.bytes ?? 0);
    return count <= this.#needs.limits.retainedCount && total <= this.#needs.limits.retainedBytes;
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
    const publication =
      entry.expiresAtMs > this.#needs.clock.nowMs() ? this.#storeOf(topic).readRetained(topic) : undefined;
    if (publication === undefined || isExpired(publication, this.#needs.clock.nowMs())) {
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
    this.#needs.deadlines.after(RETAINED_SWEEP_MS, () => {
      this.#sweeping = false;
      this.#sweep();
    });
  }

  #sweep(): void {
    const nowMs = this.#needs.clock.nowMs();
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
      this.#needs.metrics.retained += 1;
      this.#needs.metrics.retainedBytes += bytes;
    } else {
      this.#needs.metrics.retainedBytes += bytes - entry.bytes;
      entry.bytes = bytes;
      entry.expiresAtMs = expiresAtMs;
    }
  }

  #delete(topic: string): void {
    const entry = this.#index.get(topic);
    if (entry !== undefined) {
      this.#index.delete(topic);
      this.#needs.metrics.retained -= 1;
      this.#needs.metrics.retainedBytes -= entry.bytes;
      this.#storeOf(topic).deleteRetained(topic);
    }
  }

  #storeOf(topic: string): BrokerStore {
    return topic.startsWith(SYS_PREFIX) ? this.#needs.storage.volatile : this.#needs.storage.durable;
  }
}

/** Topics of the broker's own. */
const SYS_PREFIX = "$SYS/";
