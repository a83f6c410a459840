import { mkdirSync } from "node:fs";
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
import { readMoment, StoreClock, type SystemTime, systemTime } from "./clock.ts";
import { closeQuietly, lastTransaction, openTables, pageSize, type Tables } from "./database.ts";
import { examine } from "./examine.ts";
import { classify, LmdbStoreError, reading, readingEach, spaceFailure } from "./failure.ts";
import { FORMAT_KEY, storeId } from "./format.ts";
import { DEFAULT_LIMITS, FSYNC_INTERVAL_MS, type LmdbStoreLimits, READER_CHECK_MS, SPACE_CHECK_MS } from "./limits.ts";
import { load } from "./load.ts";
import { DurableMark } from "./mark.ts";
import { checkNotHeld, type Ownership, takeOwnership } from "./owner.ts";
import { RecordReader } from "./record-reader.ts";
import { RecordWriter } from "./record-writer.ts";
import { Staging } from "./staging.ts";
import { StoreWriter } from "./writer.ts";

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
  /** The system's clocks. */
  readonly time?: SystemTime;
}

/** The durable store of the broker. `open` rejects with a `StoreFailure` when the directory cannot be used. */
export function lmdbStore(options: LmdbStoreOptions): BrokerStore {
  return new LmdbStore(options);
}

class LmdbStore implements BrokerStore {
  readonly durable = true;
  onFailureChange: ((failure: StoreFailure | undefined) => void) | undefined = undefined;
  readonly #directory: string;
  readonly #fsync: FsyncPolicy;
  readonly #limits: LmdbStoreLimits;
  readonly #time: SystemTime;
  #parts: OpenParts | undefined;
  #spaceFailure: StoreFailure | undefined;
  #reported: StoreFailure["code"] | undefined;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor({ directory, fsync = "always", limits, time = systemTime }: LmdbStoreOptions) {
    this.#directory = directory;
    this.#fsync = fsync;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#time = time;
  }

  get failure(): StoreFailure | undefined {
    return this.#parts?.writer.failure ?? this.#spaceFailure;
  }

  async open(): Promise<LoadedState> {
    try {
      mkdirSync(this.#directory, { recursive: true });
      checkNotHeld(this.#directory);
      const tables = openTables(this.#directory, examine(this.#directory));
      const { parts, state } = this.#takeOver(tables);
      this.#parts = parts;
      await this.#checkSpace();
      this.#startTimers(parts);
      return {
        ...state,
        sessions: readingEach(this.#directory, state.sessions),
        retained: readingEach(this.#directory, state.retained),
      };
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
    return reading(this.#directory, () => this.#staging.readQueue(clientId, fromSequence, maxCount, maxBytes));
  }

  inflight(clientId: string): ReturnType<BrokerStore["inflight"]> {
    return this.#staging.inflight(clientId, this.commit);
  }

  loadInflight(clientId: string): ReturnType<BrokerStore["loadInflight"]> {
    return reading(this.#directory, () => this.#staging.loadInflight(clientId));
  }

  putRetained(publication: Publication): void {
    this.#staging.putRetained(publication);
  }

  deleteRetained(topic: string): void {
    this.#staging.deleteRetained(topic);
  }

  readRetained(topic: string): Publication | undefined {
    return reading(this.#directory, () => this.#staging.readRetained(topic));
  }

  readonly commit = (): Promise<void> | undefined => this.#open.writer.commit();

  async close(): Promise<void> {
    const parts = this.#parts;
    if (parts === undefined) {
      return;
    }
    for (const timer of this.#timers.splice(0)) {
      clearInterval(timer);
    }
    const { tables, mark, writer, owner } = parts;
    try {
      await writer.end();
      // Everything is on the disk by then. When it is not, nothing more is written: only one transaction can be left out.
      owner.release();
      mark.end(lastTransaction(tables.root));
    } catch (error) {
      throw await classify(error, this.#directory);
    } finally {
      this.#parts = undefined;
      owner.abandon();
      mark.close();
      await closeQuietly(tables.root);
    }
  }

  get #staging(): Staging {
    return this.#open.staging;
  }

  get #open(): OpenParts {
    if (this.#parts === undefined) {
      throw new LmdbStoreError("store-failed", "the store is not open");
    }
    return this.#parts;
  }

  /** Makes the database this process's own and reads what has to be in memory. */
  #takeOver(tables: Tables): { parts: OpenParts; state: LoadedState } {
    let owner: Ownership | undefined;
    let mark: DurableMark | undefined;
    try {
      owner = takeOwnership(this.#directory, tables.meta);
      mark = this.#openMark(tables);
      const last = readMoment(tables.meta);
      const clock = new StoreClock(this.#time, last);
      const reader = new RecordReader();
      const loaded = load(tables, reader, last?.nowMs);
      const staging = new Staging(this.#directory, tables, reader, loaded, this.#limits.inlineBytes);
      const batch = new BatchWriter(tables, new RecordWriter(), reader, this.#limits.purgePerCommit);
      const forced = this.#fsync === "always" ? mark : undefined;
      const writer = new StoreWriter({
        directory: this.#directory,
        tables,
        staging,
        batch,
        mark: forced,
        clock,
        onFailureChange: this.#reportFailure,
      });
      return {
        parts: { tables, staging, writer, mark, owner },
        state: { ...loaded.state, time: { nowMs: clock.nowMs(), doubt: clock.doubt } },
      };
    } catch (error) {
      mark?.close();
      owner?.abandon();
      void closeQuietly(tables.root);
      throw error;
    }
  }

  /** Taking ownership was forced to the disk, and with it all that went before. */
  #openMark({ root, meta }: Tables): DurableMark {
    const database = { store: storeId(meta.getBinary(FORMAT_KEY)), pageSize: pageSize(root) };
    return new DurableMark(this.#directory, database, lastTransaction(root), this.#fsync === "always");
  }

  #startTimers({ tables, writer }: OpenParts): void {
    // What fails is seen by the next commit, or is tried again the next time: no timer may end the process.
    const every = (ms: number, task: () => unknown): void => {
      const guarded = async (): Promise<void> => {
        try {
          await task();
        } catch {}
      };
      this.#timers.push(setInterval(guarded, ms).unref());
    };
    every(SPACE_CHECK_MS, () => Promise.all([this.#checkSpace(), writer.tend()]));
    every(READER_CHECK_MS, () => tables.root.readerCheck());
    if (this.#fsync === "interval") {
      every(FSYNC_INTERVAL_MS, () => writer.force());
    }
  }

  async #checkSpace(): Promise<void> {
    this.#spaceFailure = await spaceFailure(this.#directory, this.#limits.reserveBytes);
    this.#reportFailure();
  }

  readonly #reportFailure = (): void => {
    const { failure } = this;
    if (failure?.code !== this.#reported) {
      this.#reported = failure?.code;
      try {
        this.onFailureChange?.(failure);
      } catch {
        // Whoever listens has failed, and the store has not.
      }
    }
  };
}

/** What there is while the store is open. */
interface OpenParts {
  readonly tables: Tables;
  readonly staging: Staging;
  readonly writer: StoreWriter;
  readonly mark: DurableMark;
  readonly owner: Ownership;
}
