import { QUOTA_EXCEEDED } from "@tidewire/codec/codes";
import type { Link, Scheduler } from "@tidewire/link";
import type { Connection } from "@tidewire/transport";
import { MEMORY_CHECK_MS } from "../limits.ts";
import { type MemoryBudget, MemoryLevel } from "../memory/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { Deadlines } from "../time/index.ts";

export interface MemoryWatchNeeds {
  readonly deadlines: Pick<Deadlines, "after">;
  readonly memory: MemoryBudget;
  readonly metrics: MetricsRecorder;
  /** With `later`. */
  readonly scheduler: Pick<Scheduler, "later">;
  readonly router: { readonly subscriptionCount: number };
  readonly storage: { readonly durable: { readonly durable: boolean } };
}

/** A connection, as far as its memory goes. */
export interface Holder {
  readonly link: Pick<Link, "pause" | "pendingBytes" | "resume" | "unreadBytes">;
  readonly transport: Pick<Connection, "pendingInput">;
  disconnect(reasonCode: number, why: string): void;
}

/**
 * Adds up from time to time what all connections hold, and acts on those that hold most when memory runs short: they are read
 * from no further, and closed when that is not enough.
 */
export class MemoryWatch {
  readonly #needs: MemoryWatchNeeds;
  readonly #holders: () => Iterable<Holder>;
  readonly #resting = new Set<Holder>();
  #running = false;

  constructor(needs: MemoryWatchNeeds, holders: () => Iterable<Holder>) {
    this.#needs = needs;
    this.#holders = holders;
  }

  /** A connection has come: there is something to look at for as long as there is one. */
  start(): void {
    if (!this.#running) {
      this.#running = true;
      this.#again(MEMORY_CHECK_MS);
    }
  }

  closed(holder: Holder): void {
    this.#resting.delete(holder);
  }

  #again(delayMs: number): void {
    this.#needs.deadlines.after(delayMs, () => {
      this.#look({ holders: this.#holders()[Symbol.iterator](), heavy: [], bytes: 0, count: 0 });
    });
  }

  /** Goes through some of the connections, and leaves the others to a later turn. */
  #look(round: Round): void {
    for (let left = HOLDERS_PER_TURN; left > 0; left -= 1) {
      const next = round.holders.next();
      if (next.done === true) {
        this.#judge(round);
        return;
      }
      const bytes = heldBy(next.value);
      round.bytes += bytes;
      round.count += 1;
      if (bytes > HEAVY_BYTES) {
        round.heavy.push({ holder: next.value, bytes });
      }
    }
    this.#needs.scheduler.later?.(() => this.#look(round));
  }

  #judge({ heavy, bytes, count }: Round): void {
    const { memory, metrics, router, storage } = this.#needs;
    const { retained, retainedBytes } = metrics;
    memory.setConnections(bytes);
    memory.setFixed(metrics.sessions, router.subscriptionCount, retained, storage.durable.durable ? 0 : retainedBytes);
    if (memory.level === MemoryLevel.NORMAL) {
      this.#resumeAll();
    } else {
      this.#relieve(heavy.sort((a, b) => b.bytes - a.bytes));
    }
    this.#running = count > 0;
    if (this.#running) {
      // Many connections cost as little as few while nothing is wrong.
      const rounds = memory.level === MemoryLevel.NORMAL ? Math.ceil(count / HOLDERS_PER_CHECK) : 1;
      this.#again(MEMORY_CHECK_MS * rounds);
    }
  }

  #relieve(heaviestFirst: readonly HeavyHolder[]): void {
    const { memory, metrics } = this.#needs;
    let excess = memory.level >= MemoryLevel.CRITICAL ? memory.used - memory.limit * RELIEVED_BELOW : 0;
    for (const { holder, bytes } of heaviestFirst) {
      if (excess > 0) {
        excess -= bytes;
        metrics.connectionsClosedMemory += 1;
        holder.disconnect(QUOTA_EXCEEDED, `The client holds ${bytes} bytes, and the memory for clients is used up.`);
      } else if (!this.#resting.has(holder)) {
        this.#resting.add(holder);
        holder.link.pause();
      }
    }
  }

  #resumeAll(): void {
    for (const holder of this.#resting) {
      holder.link.resume();
    }
    this.#resting.clear();
  }
}

interface HeavyHolder {
  readonly holder: Holder;
  readonly bytes: number;
}

/** One look at all connections. */
interface Round {
  readonly holders: Iterator<Holder>;
  readonly heavy: HeavyHolder[];
  bytes: number;
  count: number;
}

/** A tenth of a millisecond's work. */
const HOLDERS_PER_TURN = 1000;
/** As many connections are looked at in each interval while nothing is wrong. */
const HOLDERS_PER_CHECK = 10_000;
/** Less than this is not worth acting on: everybody may have it on the way. */
const HEAVY_BYTES = 64 * 1024;
/** Part of the budget that closing connections is to get back to. */
const RELIEVED_BELOW = 0.75;

function heldBy({ link, transport }: Holder): number {
  return link.unreadBytes + transport.pendingInput + link.pendingBytes;
}
