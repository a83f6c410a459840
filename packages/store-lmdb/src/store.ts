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
import { Committer } from "./committer.ts";
import { force, lastTransaction, openTables, type Root, type Tables, transactUnforced } from "./database.ts";
import { DurableMark, removeMark } from "./durable-mark.ts";
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
import { checkNotHeld, takeOwnership } from "./owner.ts";
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
  #unusable: StoreFailure | undefined;
  #commitFailure: StoreFailure | undefined;
  #spaceFailure: StoreFailure | undefined;
  readonly #committer: Committer = new Committer(() => this.#transact());
  #lastCommitMs = 0;
  #unforced = false;
  #purge: NodeJS.Timeout | undefined;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor({ directory, fsync = "always", limits, now = Date.now }: LmdbStoreOptions) {
    this.#directory = directory;
    this.#fsync = fsync;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#now = now;
  }

  get failure(): StoreFailure | undefined {
    return this.#unusable ?? this.#commitFailure ?? this.#spaceFailure;
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

  readonly commit = (): Promise<void> | undefined => {
    return this.#staging.isEmpty ? this.#committer.pending : this.#committer.request();
  };

  async close(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) return;
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    clearTimeout(this.#purge);
    try {
      await this.commit();
      if (this.#unforced) await force(parts.tables.root);
      if (this.#unusable === undefined) removeMark(this.#directory);
    } finally {
      await this.#committer.pending?.catch(() => {});
      this.#parts = undefined;
      parts.mark?.close();
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
    checkNotHeld(this.#directory);
    const tables = openTables(this.#directory);
    try {
      const release = takeOwnership(this.#directory, tables.meta);
      const mark = this.#openMark(tables);
      const lastMs = lastTime(tables.meta);
      const shiftMs = shiftFor(lastMs, this.#now());
      const reader = new RecordReader(shiftMs);
      const writer = new RecordWriter(shiftMs);
      const loaded = load(tables, reader, lastMs === undefined ? undefined : lastMs - shiftMs);
      const staging = new Staging(tables, reader, loaded, this.#limits.inlineBytes);
      const batch = new BatchWriter(tables, writer, reader, this.#limits.purgePerCommit);
      return { parts: { tables, staging, batch, mark, release }, state: loaded.state };
    } catch (error) {
      void tables.root.close();
      throw error;
    }
  }

  /** Taking ownership was forced to the disk, and with it all that went before. */
  #openMark({ root }: Tables): DurableMark | undefined {
    if (this.#fsync === "always") return new DurableMark(this.#directory, lastTransaction(root));
    removeMark(this.#directory);
    return undefined;
  }

  /** One transaction for all that is staged, and with `always` its way to the disk. */
  async #transact(): Promise<void> {
    if (this.#unusable !== undefined) throw this.#unusable;
    const { tables, staging, batch, mark } = this.#open;
    const nowMs = Math.max(this.#now(), this.#lastCommitMs);
    let transaction: number;
    try {
      transaction = transactUnforced(tables.root, () => batch.write(staging, nowMs));
    } catch (error) {
      this.#commitFailure = await classify(error, this.#directory);
      throw this.#commitFailure;
    }
    batch.settle(staging);
    this.#commitFailure = undefined;
    this.#lastCommitMs = nowMs;
    if (mark === undefined) this.#unforced = true;
    else await this.#forceMarked(tables.root, mark, transaction);
    if (staging.doomed.size > 0) this.#purge ??= setTimeout(() => this.#purgeMore(), PURGE_PAUSE_MS).unref();
  }

  /**
   * After a disk has refused to take data once, the system may say of the same data that it is written: nothing can be
   * promised any more until the store is opened anew.
   */
  async #forceMarked(root: Root, mark: DurableMark, transaction: number): Promise<void> {
    try {
      await force(root);
      await mark.set(transaction);
    } catch (error) {
      this.#unusable = new LmdbStoreError("store-failed", "the disk did not take what was written", error);
      throw this.#unusable;
    }
  }

  /** Goes on removing what deleted sessions left, in a transaction of its own. */
  #purgeMore(): void {
    this.#purge = undefined;
    this.#committer.request().catch(() => {});
  }

  #startTimers(tables: Tables): void {
    const every = (ms: number, task: () => void): void => {
      this.#timers.push(setInterval(task, ms).unref());
    };
    every(SPACE_CHECK_MS, () => void this.#checkSpace());
    every(READER_CHECK_MS, () => void tables.root.readerCheck());
    if (this.#fsync === "interval") every(FSYNC_INTERVAL_MS, () => void this.#forceSoon(tables.root));
  }

  /** Finds out whether a failure is over, and leaves a sign of life for the clock. */
  async #checkSpace(): Promise<void> {
    this.#spaceFailure = await spaceFailure(this.#directory, this.#limits.reserveBytes);
    const idle = this.#now() - this.#lastCommitMs >= HEARTBEAT_MS;
    if (this.#parts === undefined || !(idle || this.#commitFailure !== undefined)) return;
    await this.#committer.request().catch(() => {});
  }

  async #forceSoon(root: Root): Promise<void> {
    if (!this.#unforced) return;
    this.#unforced = false;
    await force(root).catch(() => {
      this.#unforced = true;
    });
  }
}

/** What there is while the store is open. */
interface OpenParts {
  readonly tables: Tables;
  readonly staging: Staging;
  readonly batch: BatchWriter;
  /** Only with `always`. */
  readonly mark: DurableMark | undefined;
  /** Gives the directory back. */
  readonly release: () => void;
}
