import { VirtualScheduler } from "@tidewire/transport-mock";
import { describe, expect, it, test } from "vitest";
import { COMMIT_DELAY_MS, STAGED_RECORDS } from "../limits.ts";
import { silentLogger } from "../logger.ts";
import { MetricsRecorder } from "../metrics/index.ts";
import { memoryStore } from "./memory-store.ts";
import { Storage } from "./storage.ts";
import type { BrokerStore, LoadedState, StoreFailure } from "./store.ts";

describe("commit", () => {
  /* "Acknowledged before it was on disk": the promise is what a flush waits for before acknowledgements leave. */
  it("is pending for as long as the store's is, also for what an earlier commit took along", async () => {
    const { storage, store } = setUp();
    const first = store.nextCommit();
    const seen: string[] = [];
    void storage.commit()?.then(() => seen.push("first"));
    // Nothing new is staged: the store answers with the commit that is under way.
    const second = storage.commit();
    expect(second).toBeInstanceOf(Promise);
    void second?.then(() => seen.push("second"));
    await turn();
    expect(seen).toEqual([]);
    first.resolve();
    await turn();
    expect(seen).toEqual(["first", "second"]);
  });

  it("is undefined when nothing is staged or under way: nobody waits a turn for that", () => {
    expect(setUp().storage.commit()).toBeUndefined();
  });

  it("rejects with what the store said, which is counted and logged once", async () => {
    const { storage, store, metrics, lines } = setUp();
    for (let count = 0; count < 2; count += 1) {
      store.nextCommit().reject(full());
      await expect(storage.commit()).rejects.toMatchObject({ code: "store-full" });
    }
    expect(metrics.storeFailures).toBe(2);
    expect(lines).toEqual([expect.stringMatching(/^error .*The disk is full\.$/)]);
    store.nextCommit().resolve();
    await storage.commit();
    expect(lines[1]).toMatch(/^warn .* 2$/);
  });
});

describe("commitSoon", () => {
  it("commits once for all that comes within the delay", () => {
    const { storage, store, scheduler } = setUp();
    storage.commitSoon();
    scheduler.advance(COMMIT_DELAY_MS - 1);
    storage.commitSoon();
    expect(store.commits).toBe(0);
    scheduler.advance(1);
    expect(store.commits).toBe(1);
    scheduler.advance(10 * COMMIT_DELAY_MS);
    expect(store.commits).toBe(1);
    storage.commitSoon();
    scheduler.advance(COMMIT_DELAY_MS);
    expect(store.commits).toBe(2);
  });

  it("sets no timer where nothing is made durable", () => {
    const { storage, scheduler } = setUp({ durable: false });
    storage.commitSoon();
    expect(scheduler.nextAtMs).toBeUndefined();
  });

  it("leaves no rejection that nobody handles", async () => {
    const { storage, store, scheduler, metrics } = setUp();
    store.nextCommit().reject(full());
    storage.commitSoon();
    scheduler.advance(COMMIT_DELAY_MS);
    await turn();
    expect(metrics.storeFailures).toBe(1);
  });
});

describe("what waits for the store (attack 53)", () => {
  const count = (storage: Storage, records: number): void => {
    for (let record = 0; record < records; record += 1) {
      storage.count();
    }
  };

  it("is too much from a number of records on, until the commit that takes them has ended", async () => {
    const { storage, store } = setUp();
    count(storage, STAGED_RECORDS - 1);
    expect(storage.crowded).toBe(false);
    count(storage, 1);
    expect(storage.crowded).toBe(true);
    const commit = store.nextCommit();
    let drained = false;
    void storage.drained().then(() => {
      drained = true;
    });
    // Counted later: another commit takes it.
    count(storage, 1);
    await turn();
    expect([drained, storage.crowded]).toEqual([false, true]);
    commit.resolve();
    await turn();
    expect([drained, storage.crowded]).toEqual([true, false]);
    count(storage, STAGED_RECORDS - 1);
    expect(storage.crowded).toBe(true);
  });

  it("holds nobody up when nothing is staged, when the store fails, and where nothing is made durable", async () => {
    const { storage, store } = setUp();
    count(storage, STAGED_RECORDS);
    await storage.drained();
    expect(storage.crowded).toBe(false);
    count(storage, STAGED_RECORDS);
    store.nextCommit().reject(full());
    await storage.drained();
    expect(storage.crowded).toBe(true);
    // Publications are refused then, which must not take a commit each.
    store.failure = full();
    expect(storage.crowded).toBe(false);
    const { storage: volatile } = setUp({ durable: false });
    count(volatile, STAGED_RECORDS);
    expect(volatile.crowded).toBe(false);
  });
});

test("what ends with its connection is kept in memory, beside a store that is durable", () => {
  const { storage, store } = setUp();
  expect(storage.durable).toBe(store);
  expect(storage.volatile).not.toBe(store);
  expect(storage.volatile.durable).toBe(false);
});

test("one store serves for both where it is not durable", () => {
  const { storage, store } = setUp({ durable: false });
  expect(storage.volatile).toBe(store);
});

test("messages are accepted for as long as the store can keep them, and the log tells when that changes", () => {
  const { storage, store, lines } = setUp();
  expect(storage.mayAccept()).toBe(true);
  store.failure = full();
  store.onFailureChange?.(store.failure);
  expect(storage.mayAccept()).toBe(false);
  store.failure = undefined;
  store.onFailureChange?.(undefined);
  expect(storage.mayAccept()).toBe(true);
  expect(lines.map((line) => line.split(" ")[0])).toEqual(["error", "warn"]);
});

test("opening tells of a store that can keep nothing, and of a clock that it does not believe", async () => {
  const { storage, store, lines } = setUp();
  store.failure = full();
  store.state = { sessions: [], retained: [], time: { nowMs: 1, doubt: "The clock was set back." } };
  await expect(storage.open()).resolves.toBe(store.state);
  expect(lines).toEqual([expect.stringMatching(/^error .*The disk is full/), "warn The clock was set back."]);
});

test("closing commits what is staged, waits for it, and closes the store even when that fails", async () => {
  const { storage, store, scheduler } = setUp();
  storage.commitSoon();
  const commit = store.nextCommit();
  const closed = storage.close();
  await turn();
  expect(store.closed).toBe(false);
  commit.reject(full());
  await closed;
  expect(store.closed).toBe(true);
  // The timer of `commitSoon` is gone.
  expect(scheduler.nextAtMs).toBeUndefined();
});

function full(): StoreFailure {
  return Object.assign(new Error("The disk is full."), { code: "store-full" as const });
}

/** A store whose commits end when the test says so. */
interface SlowStore extends BrokerStore {
  failure: StoreFailure | undefined;
  state: LoadedState;
  commits: number;
  closed: boolean;
  nextCommit(): { resolve(): void; reject(error: unknown): void };
}

function setUp({ durable = true }: { durable?: boolean } = {}): {
  storage: Storage;
  store: SlowStore;
  scheduler: VirtualScheduler;
  metrics: MetricsRecorder;
  lines: string[];
} {
  let pending: Promise<void> | undefined;
  const store: SlowStore = Object.assign(Object.create(memoryStore()) as BrokerStore, {
    durable,
    failure: undefined,
    state: { sessions: [], retained: [] },
    commits: 0,
    closed: false,
    open: async () => store.state,
    commit: () => {
      store.commits += 1;
      return pending;
    },
    close: async () => {
      store.closed = true;
    },
    nextCommit: () => {
      let settle!: { resolve(): void; reject(error: unknown): void };
      pending = new Promise<void>((resolve, reject) => {
        settle = { resolve, reject };
      });
      pending.catch(() => {});
      return settle;
    },
  });
  const lines: string[] = [];
  const line = (level: string) => (message: string) => {
    lines.push(`${level} ${message}`);
  };
  const logger = { ...silentLogger, info: line("info"), warn: line("warn"), error: line("error") };
  const scheduler = new VirtualScheduler();
  const metrics = new MetricsRecorder();
  return { storage: new Storage(store, scheduler, metrics, logger), store, scheduler, metrics, lines };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
