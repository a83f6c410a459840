import { hasWildcard } from "@tidewire/codec";
import { type BrokerLimits, RETAINED_SWEEP_MS } from "../limits.ts";
import { type IncomingPublication, isExpired } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { BrokerStore, LoadedState, Publication, Storage } from "../storage/index.ts";
import type { Clock, Deadlines } from "../time/index.ts";
import type { Job, Steps, Work } from "../work/index.ts";
import { TopicTree, type TopicWalk } from "./topic-tree.ts";

/** What is known of a retained message without reading it. */
export interface RetainedEntry {
  readonly topic: string;
  /** Counts up with each message that takes the place of another. */
  revision: number;
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
  readonly work: Pick<Work, "start">;
}

/** Retained messages: an index in memory, for filters with wildcards too, and the messages in the store. */
export class RetainedMessages implements Job {
  readonly #index = new TopicTree<RetainedEntry>();
  readonly #needs: RetainedNeeds;
  /** Whether the next sweep has its time. */
  #sweepScheduled = false;
  /** What the sweep that is at work has not looked at yet. */
  #unswept: IterableIterator<RetainedEntry> | undefined;

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
  match(filter: string): TopicWalk<Readonly<RetainedEntry>> {
    return this.#index.match(filter);
  }

  /** The sweep, a little at a time: nobody may ever ask for an expired message again. */
  work(steps: Steps): boolean {
    const nowMs = this.#needs.clock.nowMs();
    this.#unswept ??= this.#index.values();
    while (steps.left > 0) {
      const { done, value: entry } = this.#unswept.next();
      if (done === true) {
        this.#unswept = undefined;
        return true;
      }
      steps.left -= 1;
      if (entry.expiresAtMs <= nowMs) {
        this.#delete(entry.topic);
        steps.left -= DELETE_STEPS;
      } else if (entry.expiresAtMs !== Number.POSITIVE_INFINITY) {
        this.#scheduleSweep();
      }
    }
    return false;
  }

  #scheduleSweep(): void {
    if (this.#sweepScheduled) {
      return;
    }
    this.#sweepScheduled = true;
    this.#needs.deadlines.after(RETAINED_SWEEP_MS, () => {
      this.#sweepScheduled = false;
      this.#needs.work.start(this);
    });
  }

  #put(topic: string, bytes: number, expiresAtMs: number): void {
    if (expiresAtMs !== Number.POSITIVE_INFINITY) {
      this.#scheduleSweep();
    }
    const entry = this.#index.get(topic);
    if (entry === undefined) {
      this.#index.set(topic, { topic, revision: 0, bytes, expiresAtMs });
      this.#needs.metrics.retained += 1;
      this.#needs.metrics.retainedBytes += bytes;
    } else {
      this.#needs.metrics.retainedBytes += bytes - entry.bytes;
      entry.revision += 1;
      entry.bytes = bytes;
      entry.expiresAtMs = expiresAtMs;
    }
  }

  #delete(topic: string): void {
    const entry = this.#index.get(topic);
    if (entry !== undefined) {
      entry.revision += 1;
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

/** A message in the index and in the store. */
const DELETE_STEPS = 20;

/** Topics of the broker's own. */
const SYS_PREFIX = "$SYS/";
