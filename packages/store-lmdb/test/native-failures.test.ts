import { rmSync } from "node:fs";
import { join } from "node:path";
import type { BrokerStore, Publication } from "@tidewire/broker";
import { lmdbStore } from "@tidewire/store-lmdb";
import { afterAll, afterEach, beforeEach, expect, test, vi } from "vitest";
import { temporaryDirectory } from "./harness.ts";

/*
 * Every call of the database fails once, at once or later: the store says so as a `StoreFailure`, nothing waits for
 * ever, nothing is thrown where nobody can catch it, and what was acknowledged is there afterwards.
 */

/** Which call fails next, counted from now on; 0: none does. */
const injected = vi.hoisted(() => ({ at: 0, calls: 0, names: [] as string[] }));

vi.mock("lmdb", async (importOriginal) => {
  const original = await importOriginal<typeof import("lmdb")>();
  return { ...original, open: (options: object) => failing(original.open(options as never), "root") };
});

const root = temporaryDirectory();
const uncaught: unknown[] = [];
const noteUncaught = (error: unknown): void => {
  uncaught.push(error);
};
let count = 0;

beforeEach(() => {
  process.on("unhandledRejection", noteUncaught);
  process.on("uncaughtException", noteUncaught);
});

afterEach(() => {
  process.off("unhandledRejection", noteUncaught);
  process.off("uncaughtException", noteUncaught);
});

afterAll(() => rmSync(root, { recursive: true }));

test("whichever call fails, the store says so and goes on or stops in order", { timeout: 240_000 }, async () => {
  arm(0);
  await scenario();
  const total = injected.calls;
  expect(total).toBeGreaterThan(60);
  const failed = new Set<string>();
  for (let at = 1; at <= total; at += 1) {
    arm(at);
    const { acknowledged, directory } = await scenario();
    failed.add(injected.names.at(-1)!);
    arm(0);
    expect(uncaught, `call ${at}: ${injected.names.join()}`).toEqual([]);
    const store = lmdbStore({ directory });
    const { retained } = await store.open();
    const topics = [...retained].map(({ topic }) => topic);
    await store.close();
    expect(topics, `call ${at}`).toEqual(expect.arrayContaining(acknowledged));
  }
  for (const name of [
    "root.transactionSync",
    "root.sync",
    "root.readerCheck",
    "root.close",
    "table.put",
    "table.getRange",
  ]) {
    expect([...failed]).toContain(name);
  }
});

/** A store's life. Whatever fails has to fail as a `StoreFailure`. */
async function scenario(): Promise<{ readonly acknowledged: string[]; readonly directory: string }> {
  count += 1;
  const directory = join(root, `${count}`);
  const acknowledged: string[] = [];
  const store = lmdbStore({ directory });
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  try {
    const isOpen = await attempt(async () => {
      const { sessions, retained } = await store.open();
      return [[...sessions], [...retained]];
    });
    if (!isOpen) {
      return { acknowledged, directory };
    }
    store.putSession(SESSION);
    for (let round = 0; round < 3; round += 1) {
      await attempt(() => stage(store, round));
      const committed = await attempt(() => store.commit());
      if (committed) {
        for (let earlier = 0; earlier <= round; earlier += 1) {
          acknowledged.push(`${earlier}`);
        }
      }
      await attempt(() => store.readQueue("one", 0, 10, 1000));
      await attempt(() => store.loadInflight("one"));
      await attempt(() => store.readRetained(`${round}`));
      vi.advanceTimersByTime(61_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await attempt(() => store.commit());
  } finally {
    vi.useRealTimers();
    await attempt(() => store.close());
  }
  return { acknowledged, directory };
}

function stage(store: BrokerStore, round: number): void {
  store.putRetained(publication(`${round}`, 2000));
  const entry = { sequence: round + 1, publication: publication("q", 2000), qos: 1, retain: false } as const;
  store.enqueue("one", { ...entry, subscriptionIdentifiers: undefined });
  store.inflight("one").putIncoming(round + 1);
}

/** False when it failed. */
async function attempt(action: () => unknown): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("nothing came of it")), 60_000);
  });
  try {
    await Promise.race([(async () => action())(), limit]);
    return true;
  } catch (error) {
    expect(error, `${injected.names.at(-1)}`).toMatchObject({ name: "LmdbStoreError", code: expect.any(String) });
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function arm(at: number): void {
  injected.at = at;
  injected.calls = 0;
  injected.names = [];
}

/** The database or a table of it, each of whose calls can be made to fail. */
function failing<T extends object>(target: T, kind: string): T {
  return new Proxy(target, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value !== "function" || typeof key === "symbol") {
        return value;
      }
      return (...args: unknown[]): unknown => {
        injected.calls += 1;
        const isDue = injected.calls === injected.at;
        const name = `${kind}.${key}`;
        if (isDue) {
          injected.names.push(name);
          if (key === "sync") {
            (args[0] as (error: Error) => void)(new Error("injected"));
            return undefined;
          }
          if (key === "close") {
            return (value.apply(object, args) as Promise<void>).then(() => Promise.reject(new Error("injected")));
          }
          throw new Error("injected");
        }
        const result: unknown = value.apply(object, args);
        return key === "openDB" ? failing(result as object, "table") : result;
      };
    },
  });
}

const SESSION = {
  clientId: "one",
  version: 5,
  sessionExpiryInterval: 3600,
  disconnectedAtMs: undefined,
  username: undefined,
  will: undefined,
  willAtMs: undefined,
  maybeSentBelow: undefined,
} as const;

function publication(topic: string, bytes: number): Publication {
  const rest = { qos: 1, retain: true, properties: undefined, publisher: undefined, storedId: undefined } as const;
  return { topic, payload: new Uint8Array(bytes), receivedAtMs: 0, expiresAtMs: Number.POSITIVE_INFINITY, ...rest };
}
