import type { BrokerLogger } from "../logger.ts";
import type { MetricsRecorder } from "../metrics/index.ts";

/** How much of the budget is used; each level adds to what the ones below it do. */
export const MemoryLevel = {
  NORMAL: 0,
  /** From three quarters on: QoS 0 no longer waits for slow readers, and connections with much unfinished input rest. */
  HIGH: 1,
  /** From nine tenths on: no new sessions, long queues take no more, and the connections that hold most are closed. */
  CRITICAL: 2,
  /** Nothing more waits for anybody. */
  FULL: 3,
} as const;
export type MemoryLevel = (typeof MemoryLevel)[keyof typeof MemoryLevel];

export interface MemoryBudgetOptions {
  /** Bytes. */
  readonly limit: number;
  readonly logger: BrokerLogger;
  readonly metrics: MetricsRecorder;
}

/**
 * What the broker holds in memory for all clients together, and what it does when that becomes too much. The bounds of single
 * sessions and connections are generous, and there are many of those: only a bound over all of them keeps the process alive.
 * Counted are bytes that are known exactly and objects at what they take as measured; a payload counts for each queue that
 * it waits in.
 */
export class MemoryBudget {
  readonly limit: number;
  readonly #logger: BrokerLogger;
  readonly #metrics: MetricsRecorder;
  #queues = 0;
  #connections = 0;
  #fixed = 0;
  #level: MemoryLevel = MemoryLevel.NORMAL;

  constructor({ limit, logger, metrics }: MemoryBudgetOptions) {
    this.limit = limit;
    this.#logger = logger;
    this.#metrics = metrics;
  }

  get used(): number {
    return this.#queues + this.#connections + this.#fixed;
  }

  get level(): MemoryLevel {
    return this.#level;
  }

  get refusesSessions(): boolean {
    return this.#level >= MemoryLevel.CRITICAL;
  }

  /** Whether a message may not be added to what waits for one session, which has `queued` bytes in memory already. */
  refuses(reliable: boolean, queued: number): boolean {
    switch (this.#level) {
      case MemoryLevel.NORMAL:
        return false;
      case MemoryLevel.HIGH:
        return !reliable;
      case MemoryLevel.CRITICAL:
        return !reliable || queued > this.limit / QUEUE_SHARE;
      default:
        return true;
    }
  }

  /** Messages were added to a queue in memory, or taken out of it. */
  countQueued(messages: number, bytes: number): void {
    this.#queues += messages * QUEUED_MESSAGE_BYTES + bytes;
    this.#settle();
  }

  /** What all connections hold at the moment: unfinished input, and output that has not left. */
  setConnections(bytes: number): void {
    this.#connections = bytes;
    this.#settle();
  }

  /** Sessions, subscriptions and retained messages: what does not go away by waiting. */
  setFixed(sessions: number, subscriptions: number, retained: number, retainedBytes: number): void {
    this.#fixed =
      sessions * SESSION_BYTES + subscriptions * SUBSCRIPTION_BYTES + retained * RETAINED_BYTES + retainedBytes;
    this.#settle();
  }

  #settle(): void {
    const { used, limit } = this;
    this.#metrics.memoryBytes = used;
    const level =
      used >= limit
        ? MemoryLevel.FULL
        : used >= limit * 0.9
          ? MemoryLevel.CRITICAL
          : used >= limit * 0.75
            ? MemoryLevel.HIGH
            : MemoryLevel.NORMAL;
    // Back only when there is some air: at the edge it would go up and down with every message.
    if (level > this.#level || (level < this.#level && used < limit * BACK_BELOW[this.#level])) {
      this.#level = level;
      this.#metrics.memoryLevel = level;
      this.#tell();
    }
  }

  #tell(): void {
    const fields = { memoryBytes: this.used, memoryLimit: this.limit, level: this.#level };
    const share = `${Math.round((100 * this.used) / this.limit)} % of the ${megabytes(this.limit)} MB for clients`;
    if (this.#level === MemoryLevel.NORMAL) {
      this.#logger.info(`memory: ${share} in use again, everything is taken as usual`, fields);
    } else {
      this.#logger.warn(`memory: ${share} in use: ${MEASURES[this.#level]}`, fields);
    }
  }
}

const MEASURES: Readonly<Record<number, string>> = {
  [MemoryLevel.HIGH]: "QoS 0 no longer waits for slow readers; connections with much unfinished input rest",
  [MemoryLevel.CRITICAL]:
    "no new sessions (0x97); long queues take no more; the connections that hold most are closed (0x97)",
  [MemoryLevel.FULL]:
    "what would have to wait is dropped for everyone; raise memoryBytes, or lower the limits of queues",
};

const BACK_BELOW: Readonly<Record<MemoryLevel, number>> = { 0: 0, 1: 0.65, 2: 0.8, 3: 0.95 };

/** At most this part of the budget is one session's while the level is critical. */
const QUEUE_SHARE = 1000;

// Measured in Node 20, rounded up: heap used by 100,000 of each.
export const QUEUED_MESSAGE_BYTES = 200;
export const SESSION_BYTES = 4096;
export const SUBSCRIPTION_BYTES = 400;
export const RETAINED_BYTES = 512;

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}
