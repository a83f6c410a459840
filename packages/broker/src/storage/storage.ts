import type { Scheduler } from "@tidewire/link";
import { COMMIT_DELAY_MS, STAGED_RECORDS } from "../limits.ts";
import type { BrokerLogger } from "../logger.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import { FailureLog } from "./failure-log.ts";
import { memoryStore } from "./memory-store.ts";
import type { BrokerStore, LoadedState } from "./store.ts";

/** The stores of one broker, and the one place that commits. */
export class Storage {
  /** For what has to outlive the process. */
  readonly durable: BrokerStore;
  /** For sessions that end with their connection, and for `$SYS`. */
  readonly volatile: BrokerStore;
  readonly #scheduler: Scheduler;
  readonly #metrics: MetricsRecorder;
  readonly #logger: BrokerLogger;
  readonly #failures: FailureLog;
  #commitTimer: unknown;
  /** Records counted since the start, and up to where they are kept. */
  #staged = 0;
  #kept = 0;

  constructor(store: BrokerStore, scheduler: Scheduler, metrics: MetricsRecorder, logger: BrokerLogger) {
    this.durable = store;
    this.volatile = store.durable ? memoryStore() : store;
    this.#scheduler = scheduler;
    this.#metrics = metrics;
    this.#logger = logger;
    this.#failures = new FailureLog(logger);
    store.onFailureChange = (failure) => this.#failures.note(failure);
  }

  /** Rejects when the store cannot be used. One that may be used and can keep nothing says so in the log. */
  async open(): Promise<LoadedState> {
    const state = await this.durable.open();
    this.#failures.note(this.durable.failure);
    if (state.time?.doubt !== undefined) {
      this.#logger.warn(state.time.doubt);
    }
    return state;
  }

  /** Resolves when everything staged so far is kept; the store waits for commits that are under way, too. */
  readonly commit = (): Promise<void> | undefined => {
    const staged = this.#staged;
    const pending = this.durable.commit();
    if (pending === undefined) {
      this.#kept = staged;
      return undefined;
    }
    return pending.then(() => {
      this.#kept = Math.max(this.#kept, staged);
      this.#failures.note(this.durable.failure);
    }, this.#failed);
  };

  /** Counts a record that was staged in a durable store. */
  count(): void {
    this.#staged += 1;
  }

  /**
   * Whether as many records wait as one transaction should have: whoever staged them waits for `drained` before more is read
   * from it. Not while the store fails, since nothing more is staged then.
   */
  get crowded(): boolean {
    return this.#staged - this.#kept >= STAGED_RECORDS && this.durable.durable && this.mayAccept();
  }

  /** Resolves once what is staged now is kept, or could not be. */
  drained(): Promise<void> {
    return this.commit()?.catch(() => {}) ?? Promise.resolve();
  }

  /** Commits before long what nobody waits for, as a flush does with what it promises. */
  commitSoon(): void {
    if (!this.durable.durable || this.#commitTimer !== undefined) {
      return;
    }
    this.#commitTimer = this.#scheduler.setTimer(() => {
      this.#commitTimer = undefined;
      // A failure has been counted and logged; nobody was promised anything.
      this.commit()?.catch(() => {});
    }, COMMIT_DELAY_MS);
  }

  /** False while the store could not keep a message: it is refused rather than lost. */
  mayAccept(): boolean {
    return this.durable.failure === undefined;
  }

  async close(): Promise<void> {
    this.#scheduler.clearTimer(this.#commitTimer);
    await this.commit()?.catch(() => {});
    await this.durable.close();
  }

  readonly #failed = (error: unknown): never => {
    this.#metrics.storeFailures += 1;
    this.#failures.commitFailed(error);
    throw error;
  };
}
