import type {
  BrokerStore,
  LoadedState,
  Publication,
  QueueEntry,
  StoredSession,
  StoredSubscription,
  StoreFailure,
} from "@tidewire/broker";
import { BatchWriter } from "./batch.ts";
import { lastTime, shiftFor } from "./clock.ts";
import { openTables, type Tables } from "./database.ts";
import { classify, LmdbStoreError, spaceFailure } from "./failure.ts";
import {
  DEFAULT_LIMITS,
  FSYNC_INTERVAL_MS,
  HEARTBEAT_MS,
  type LmdbStoreLimits,
  PURGE_PAUSE_MS,
  READER_CHECK_MS,
  SPACE_CHECK_MS,
} from "./limits.ts";
import { load } from "./load.ts";
import { takeOwnership } from "./owner.ts";
import { RecordReader } from "./record-reader.ts";
import { RecordWriter } from "./record-writer.ts";
import { Staging } from "./staging.ts";

/**
 * When written data is forced to the disk. A killed process loses nothing that was acknowledged with any of them;
 * they differ in what a power loss may take. `always`: nothing. `interval`: about the last second. `os`: whatever the
 * system had not written yet.
 */
export type FsyncPolicy = "always" | "interval" | "os";

export interface LmdbStoreOptions {
  /** Where the database is; created when it is not there. */
  readonly directory: string;
  /** Default `always`. */
  readonly fsync?: FsyncPolicy;
  readonly limits?: Partial<LmdbStoreLimits>;
  /** Wall-clock milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** The durable store of the broker. `open` rejects with a `StoreFailure` when the directory cannot be used. */
export function lmdbStore(options: LmdbStoreOptions): BrokerStore {
  return new LmdbStore(options);
}

class LmdbStore implements BrokerStore {
  readonly durable = true;
  readonly #directory: string;
  readonly #fsync: FsyncPolicy;
  readonly #limits: LmdbStoreLimits;
  readonly #now: () => number;
  #parts: OpenParts | undefined;
  #commitFailure: StoreFailure | undefined;
  #spaceFailure: StoreFailure | undefined;
  #committing: Promise<void> | undefined;
  #lastCommitMs = 0;
  #unsynced = false;
  #purge: NodeJS.Timeout | undefined;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor({ directory, fsync = "always", limits, now = Date.now }: LmdbStoreOptions) {
    this.#directory = directory;
    this.#fsync = fsync;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#now = now;
  }

  get failure(): StoreFailure | undefined {
    return this.#commitFailure ?? this.#spaceFailure;
  }

  async open(): Promise<LoadedState> {
    try {
      const { parts, state } = this.#openParts();
      this.#parts = parts;
      this.#spaceFailure = await spaceFailure(this.#directory, this.#limits.reserveBytes);
      this.#startTimers(parts.tables);
      return state;
    } catch (error) {
      throw await classify(error, this.#directory);
    }
  }

  putSession(session: StoredSession): void {
    this.#staging.putSession(session);
  }

  deleteSession(clientId: string): void {
    this.#staging.deleteSession(clientId);
  }

  putSubscription(clientId: string, subscription: StoredSubscription): void {
    this.#staging.putSubscription(clientId, subscription);
  }

  deleteSubscription(clientId: string, filter: string): void {
    this.#staging.deleteSubscription(clientId, filter);
  }

  enqueue(clientId: string, entry: QueueEntry): void {
    this.#staging.enqueue(clientId, entry);
  }

  dequeue(clientId: string, sequence: number): void {
    this.#staging.dequeue(clientId, sequence);
  }

  readQueue(clientId: string, fromSequence: number, maxCount: number, maxBytes: number): QueueEntry[] {
    return this.#staging.readQueue(clientId, fromSequence, maxCount, maxBytes);
  }

  inflight(clientId: string): ReturnType<BrokerStore["inflight"]> {
    return this.#staging.inflight(clientId, this.commit);
  }

  loadInflight(clientId: string): ReturnType<BrokerStore["loadInflight"]> {
    return this.#staging.loadInflight(clientId);
  }

  putRetained(publication: Publication): void {
    this.#staging.putRetained(publication);
  }

  deleteRetained(topic: string): void {
    this.#staging.deleteRetained(topic);
  }

  readRetained(topic: string): Publication | undefined {
    return this.#staging.readRetained(topic);
  }

  /**
   * The transaction runs once the sockets that are readable now have been read, and takes in what they bring: a call
   * made meanwhile shares it. That is what makes one forced write serve a hundred publishers.
   */
  readonly commit = (): Promise<void> | undefined => {
    if (this.#committing !== undefined) return this.#committing;
    if (this.#staging.isEmpty) return undefined;
    this.#committing = new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#committing = undefined;
        this.#transact().then(resolve, reject);
      });
    });
    return this.#committing;
  };

  async close(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) return;
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    clearTimeout(this.#purge);
    try {
      await this.commit();
    } finally {
      this.#parts = undefined;
      await this.#force(parts.tables);
      parts.release();
      await parts.tables.root.close();
    }
  }

  get #staging(): Staging {
    return this.#open.staging;
  }

  get #open(): OpenParts {
    if (this.#parts === undefined) throw new LmdbStoreError("store-failed", "the store is not open");
    return this.#parts;
  }

  #openParts(): { parts: OpenParts; state: LoadedState } {
    const tables = openTables(this.#directory, { syncEachCommit: this.#fsync === "always" });
    try {
      const release = takeOwnership(this.#directory, tables.meta);
      const lastMs = lastTime(tables.meta);
      const shiftMs = shiftFor(lastMs, this.#now());
      const reader = new RecordReader(shiftMs);
      const writer = new RecordWriter(shiftMs);
      const loaded = load(tables, reader, lastMs === undefined ? undefined : lastMs - shiftMs);
      const staging = new Staging(tables, reader, loaded, this.#limits.inlineBytes);
      const batch = new BatchWriter(tables, writer, reader, this.#limits.purgePerCommit);
      return { parts: { tables, staging, batch, release }, state: loaded.state };
    } catch (error) {
      void tables.root.close();
      throw error;
    }
  }

  /** One transaction for all that is staged. It blocks while the disk is forced; nothing may be acknowledged before. */
  async #transact(): Promise<void> {
    const { tables, staging, batch } = this.#open;
    const nowMs = Math.max(this.#now(), this.#lastCommitMs);
    try {
      tables.root.transactionSync(() => batch.write(staging, nowMs));
    } catch (error) {
      this.#commitFailure = await classify(error, this.#directory);
      throw this.#commitFailure;
    }
    batch.settle(staging);
    this.#commitFailure = undefined;
    this.#lastCommitMs = nowMs;
    this.#unsynced = true;
    if (staging.doomed.size > 0) this.#purge ??= setTimeout(() => this.#purgeMore(), PURGE_PAUSE_MS).unref();
  }

  /** Goes on removing what deleted sessions left, in a transaction of its own. */
  #purgeMore(): void {
    this.#purge = undefined;
    if (this.#parts !== undefined) this.#transact().catch(() => {});
  }

  #startTimers(tables: Tables): void {
    const every = (ms: number, task: () => void): void => {
      this.#timers.push(setInterval(task, ms).unref());
    };
    every(SPACE_CHECK_MS, () => void this.#checkSpace());
    every(READER_CHECK_MS, () => void tables.root.readerCheck());
    if (this.#fsync === "interval") every(FSYNC_INTERVAL_MS, () => void this.#force(tables));
  }

  /** Finds out whether a failure is over, and leaves a sign of life for the clock. */
  async #checkSpace(): Promise<void> {
    this.#spaceFailure = await spaceFailure(this.#directory, this.#limits.reserveBytes);
    const idle = this.#now() - this.#lastCommitMs >= HEARTBEAT_MS;
    if (this.#parts !== undefined && (idle || this.#commitFailure !== undefined))
      await this.#transact().catch(() => {});
  }

  /** Forces written data to the disk, without holding up the process. */
  #force(tables: Tables): Promise<void> {
    if (!this.#unsynced || this.#fsync === "always") return Promise.resolve();
    this.#unsynced = false;
    return new Promise((resolve) => {
      tables.root.sync((error) => {
        this.#unsynced ||= error !== undefined;
        resolve();
      });
    });
  }
}

/** What there is while the store is open. */
interface OpenParts {
  readonly tables: Tables;
  readonly staging: Staging;
  readonly batch: BatchWriter;
  /** Gives the directory back. */
  readonly release: () => void;
}
