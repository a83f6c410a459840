import type { StoreFailure } from "@tidewire/broker";
import type { BatchWriter } from "./batch.ts";
import type { Moment, StoreClock } from "./clock.ts";
import { Committer } from "./committer.ts";
import { force, type Root, type Tables, transactUnforced } from "./database.ts";
import { classify, freeBytes, LmdbStoreError } from "./failure.ts";
import { HEARTBEAT_MS, PURGE_PAUSE_MS } from "./limits.ts";
import type { DurableMark } from "./mark.ts";
import type { Staging } from "./staging.ts";

export interface WriterParts {
  readonly directory: string;
  readonly tables: Tables;
  readonly staging: Staging;
  readonly batch: BatchWriter;
  /** Undefined: commits do not wait for the disk. */
  readonly mark: DurableMark | undefined;
  readonly clock: StoreClock;
  /** `failure` may be another. */
  readonly onFailureChange?: () => void;
}

/** Brings what is staged into the database, and the database to the disk. */
export class StoreWriter {
  readonly #parts: WriterParts;
  readonly #root: Root;
  readonly #committer: Committer = new Committer(() => this.#transact());
  /** Why the last transaction failed. */
  #failure: StoreFailure | undefined;
  /** Set for good when the disk could not be forced. */
  #unusable: StoreFailure | undefined;
  /** How much was free when the disk was found full; dropped once a second. */
  #fullAtBytes: number | undefined;
  #lastCommitMs = 0;
  #unforced = false;
  #forcing: Promise<void> | undefined;
  #purge: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#root = parts.tables.root;
  }

  get failure(): StoreFailure | undefined {
    return this.#unusable ?? this.#failure;
  }

  commit(): Promise<void> | undefined {
    return this.#parts.staging.isEmpty ? this.#committer.pending : this.#committer.request();
  }

  /** Called about once a second: tries again after a failure, and leaves a sign of life for the clock. */
  async tend(): Promise<void> {
    const idle = this.#parts.clock.nowMs() - this.#lastCommitMs >= HEARTBEAT_MS;
    if (idle || this.#failure !== undefined) {
      this.#fullAtBytes = undefined;
      await this.#committer.request().catch(() => {});
    }
  }

  /** Forces what commits did not wait for. A failure is left for the next time. */
  force(): Promise<void> {
    if (this.#unforced) {
      this.#unforced = false;
      this.#forcing = force(this.#root).catch(() => {
        this.#unforced = true;
      });
    }
    return this.#forcing ?? Promise.resolve();
  }

  /** The last commit; rejects when it fails. Nothing is under way afterwards. */
  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#purge);
    try {
      await this.commit();
    } finally {
      await this.#committer.pending?.catch(() => {});
      await this.force();
    }
  }

  /** One transaction for all that is staged, and, with a mark, its way to the disk. */
  async #transact(): Promise<void> {
    if (this.#unusable !== undefined) {
      throw this.#unusable;
    }
    const { staging, batch, mark, clock } = this.#parts;
    if (this.#fullAtBytes !== undefined) {
      await this.#checkRoom(this.#fullAtBytes);
    }
    let moment: Moment;
    let transaction: number;
    try {
      moment = clock.moment();
      transaction = transactUnforced(this.#root, () => batch.write(staging, moment));
    } catch (error) {
      await this.#failed(error);
      throw this.#failure;
    }
    batch.settle(staging);
    this.#fullAtBytes = undefined;
    if (this.#failure !== undefined) {
      this.#failure = undefined;
      this.#parts.onFailureChange?.();
    }
    this.#lastCommitMs = moment.nowMs;
    if (staging.doomed.size > 0 && !this.#ended) {
      this.#purgeSoon();
    }
    if (mark === undefined) {
      this.#unforced = true;
    } else {
      await this.#forceMarked(mark, transaction);
    }
  }

  /**
   * A disk that was full is tried again when there is more room, or once a second: the database says in words of its
   * own, on standard error, that a write failed, and does so each time.
   */
  async #checkRoom(fullAtBytes: number): Promise<void> {
    if ((await freeBytes(this.#parts.directory)) <= fullAtBytes) {
      throw this.#failure;
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { directory, onFailureChange } = this.#parts;
    this.#failure = await classify(error, directory);
    if (this.#failure.code === "store-full") {
      this.#fullAtBytes = await freeBytes(directory);
    }
    onFailureChange?.();
  }

  /**
   * After a disk has refused to take data once, the system may say of the same data that it is written: nothing can be
   * promised any more until the store is opened anew.
   */
  async #forceMarked(mark: DurableMark, transaction: number): Promise<void> {
    try {
      await force(this.#root);
      await mark.set(transaction);
    } catch (error) {
      const message = `the disk of ${this.#parts.directory} did not take what was written; look after the disk, then restart`;
      this.#unusable = new LmdbStoreError("store-failed", message, error);
      this.#parts.onFailureChange?.();
      throw this.#unusable;
    }
  }

  /** Goes on removing what deleted sessions left, in a transaction of its own. */
  #purgeSoon(): void {
    this.#purge ??= setTimeout(() => {
      this.#purge = undefined;
      this.#committer.request().catch(() => {});
    }, PURGE_PAUSE_MS).unref();
  }
}
