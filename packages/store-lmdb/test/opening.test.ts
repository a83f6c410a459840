import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrokerStore } from "@tidewire/broker";
import { type LmdbStoreError, lmdbStore } from "@tidewire/store-lmdb";
import { open as openLmdb } from "lmdb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { temporaryDirectory } from "./harness.ts";

let directory: string;

beforeEach(() => {
  directory = temporaryDirectory();
});

afterEach(() => rmSync(directory, { recursive: true }));

describe("a directory that cannot be used is refused by name:", () => {
  test("a file of another kind", async () => {
    for (const contents of [Buffer.from("hello"), Buffer.alloc(20_000), Buffer.alloc(20_000, "something else ")]) {
      writeFileSync(join(directory, "data.mdb"), contents);
      expect(await failure(lmdbStore({ directory }))).toMatchObject({ code: "store-corrupt" });
      expect(readFileSync(join(directory, "data.mdb"))).toEqual(contents);
    }
  });

  test("a database of another program", async () => {
    await edit((names) => names.putSync(Buffer.from("key"), Buffer.from("value")), "theirs");
    expect(await failure(lmdbStore({ directory }))).toMatchObject({ code: "store-corrupt" });
  });

  test("a database that lost its end", async () => {
    await fillOnce();
    truncateSync(join(directory, "data.mdb"), 3 * 4096);
    expect(await failure(lmdbStore({ directory }))).toMatchObject({ code: "store-corrupt" });
  });

  test("a record that makes no sense", async () => {
    await fillOnce();
    await edit((sessions) => sessions.putSync(Buffer.alloc(6, 1), Buffer.from([1, 0, 200, 65])), "sessions");
    expect(await failure(lmdbStore({ directory }))).toMatchObject({ code: "store-corrupt" });
  });

  test("a newer format, with both numbers", async () => {
    await fillOnce();
    await edit((meta) => {
      const format = meta.getBinary(Buffer.from("format"))!;
      format.writeUInt16BE(9, format.length - 2);
      meta.putSync(Buffer.from("format"), format);
    }, "meta");
    const error = await failure(lmdbStore({ directory }));
    expect(error).toMatchObject({ code: "store-version", message: expect.stringMatching(/format 9.*format 2/) });
  });

  test("a store that this process has open", async () => {
    const first = lmdbStore({ directory });
    await first.open();
    expect(await failure(lmdbStore({ directory }))).toMatchObject({ code: "store-locked" });
    await first.close();
    const next = lmdbStore({ directory });
    await next.open();
    await next.close();
  });

  // When a process began is read from /proc.
  test.skipIf(process.platform !== "linux")("a store that another process has open, until it is gone", async () => {
    await fillOnce();
    const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    const stat = readFileSync(`/proc/${other.pid}/stat`, "utf8").split(" ");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const owner = (started: string): Promise<void> => {
      const { dev, ino } = statSync(join(directory, "data.mdb"));
      const record = { pid: other.pid, started: `${boot}/${started}`, file: `${dev}/${ino}` };
      return edit((meta) => meta.putSync(Buffer.from("owner"), Buffer.from(JSON.stringify(record))), "meta");
    };
    await owner(stat[21]!);
    const error = await failure(lmdbStore({ directory }));
    expect(error).toMatchObject({ code: "store-locked", message: expect.stringContaining(`process ${other.pid}`) });
    // The same process id, of a process that began at another time: the owner has ended.
    await owner("12345");
    await use(async () => {});
    await owner(stat[21]!);
    other.kill("SIGKILL");
    await once(other, "exit");
    await use(async () => {});
  });

  // The tests may run as root, whom no permission stops.
  test.skipIf(process.getuid?.() !== 0)("a directory that may not be written", async () => {
    await fillOnce();
    chmodSync(directory, 0o755);
    process.seteuid?.(65_534);
    try {
      expect(await failure(lmdbStore({ directory }))).toMatchObject({ code: "store-read-only" });
      expect(await failure(lmdbStore({ directory: join(directory, "new") }))).toMatchObject({
        code: "store-read-only",
      });
    } finally {
      process.seteuid?.(0);
    }
  });

  test("a path that is a file", async () => {
    writeFileSync(join(directory, "file"), "");
    expect(await failure(lmdbStore({ directory: join(directory, "file") }))).toMatchObject({ code: "store-failed" });
  });
});

describe("times", () => {
  const hour = 3_600_000;

  test("a clock that was set back does not make anything last longer, or shorter", async () => {
    await use(async (store) => {
      store.putSession(session(10 * hour));
      store.putRetained(publication("kept", 10 * hour, 11 * hour));
      await store.commit();
    }, 10 * hour);
    await use(async (store, [loaded]) => {
      expect(loaded?.disconnectedAtMs).toBe(2 * hour);
      const kept = store.readRetained("kept");
      expect([kept?.receivedAtMs, kept?.expiresAtMs]).toEqual([2 * hour, 3 * hour]);
      store.putRetained(publication("new", 2 * hour, 4 * hour));
    }, 2 * hour);
    // Set right again: what was written meanwhile is eight hours older by now.
    await use(async (store) => {
      expect(store.readRetained("kept")?.expiresAtMs).toBe(11 * hour);
      expect(store.readRetained("new")?.expiresAtMs).toBe(12 * hour);
    }, 20 * hour);
  });

  test("a session that was connected counts as gone from the last write on", async () => {
    await use(async (store) => {
      store.putSession(session(undefined));
      await store.commit();
    }, 5 * hour);
    await use(async (_store, [loaded]) => expect(loaded?.disconnectedAtMs).toBe(5 * hour), 9 * hour);
  });
});

type Loaded = Awaited<ReturnType<BrokerStore["open"]>>["sessions"] extends Iterable<infer Session> ? Session : never;

/** Opens the store at a time, and closes it in the end. */
async function use(task: (store: BrokerStore, sessions: Loaded[]) => Promise<void>, nowMs = Date.now()): Promise<void> {
  const store = lmdbStore({ directory, now: () => nowMs });
  const { sessions } = await store.open();
  await task(store, [...sessions]);
  await store.close();
}

function fillOnce(): Promise<void> {
  return use(async (store) => {
    store.putSession(session(1));
    for (let index = 0; index < 100; index += 1) {
      store.putRetained(publication(`topic/${index}`, 1, 2));
    }
    await store.commit();
  });
}

async function failure(store: BrokerStore): Promise<LmdbStoreError | undefined> {
  try {
    await store.open();
  } catch (error) {
    return error as LmdbStoreError;
  }
  await store.close();
  return undefined;
}

/** Changes a table behind the store's back. */
async function edit(change: (table: ReturnType<typeof openTable>) => void, name: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const root = openLmdb<Buffer, Uint8Array>({ path: directory, noSubdir: false, maxDbs: 16, overlappingSync: false });
  change(openTable(root, name));
  await root.close();
}

function openTable(root: ReturnType<typeof openLmdb<Buffer, Uint8Array>>, name: string) {
  return root.openDB<Buffer, Uint8Array>(name, { encoding: "binary", keyEncoding: "binary" });
}

function session(disconnectedAtMs: number | undefined) {
  const none = { username: undefined, will: undefined, willAtMs: undefined, maybeSentBelow: undefined };
  return { clientId: "one", version: 5, sessionExpiryInterval: 3600, disconnectedAtMs, ...none } as const;
}

function publication(topic: string, receivedAtMs: number, expiresAtMs: number) {
  const rest = { qos: 1, retain: true, properties: undefined, publisher: undefined, storedId: undefined } as const;
  return { topic, payload: new Uint8Array(200), receivedAtMs, expiresAtMs, ...rest };
}
