import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrokerStore } from "@tidewire/broker";
import { type LmdbStoreError, lmdbStore, type SystemTime } from "@tidewire/store-lmdb";
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
      format.writeUInt16BE(9, "tidewire-store:".length);
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

  test("a store that was closed in order has no owner", async () => {
    await fillOnce();
    await edit((meta) => expect(meta.doesExist(Buffer.from("owner"))).toBe(false), "meta");
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
  const today = Date.UTC(2026, 10, 30);

  test("a wall clock that was set makes nothing last longer, or shorter", async () => {
    const begin = { wallMs: today, uptimeMs: 5 * hour };
    await use(async (store, _sessions, nowMs) => {
      expect(nowMs).toBe(today);
      store.putSession(session(today));
      store.putRetained(publication("kept", today, today + hour));
      await store.commit();
    }, at(begin));
    let passedMs = 0;
    for (const setByMs of [hour, -hour, -50 * 365 * 24 * hour]) {
      passedMs += 60_000;
      const now = at({ wallMs: today + passedMs + setByMs, uptimeMs: begin.uptimeMs + passedMs });
      await use(async (store, [loaded], nowMs) => {
        expect(nowMs).toBe(today + passedMs);
        expect(loaded?.disconnectedAtMs).toBe(today);
        expect(store.readRetained("kept")?.expiresAtMs).toBe(today + hour);
        store.putSession(session(today));
      }, now);
    }
  });

  test("a session that was connected counts as gone from the last write on", async () => {
    await use(
      async (store) => {
        store.putSession(session(undefined));
        await store.commit();
      },
      at({ wallMs: today, uptimeMs: hour }),
    );
    await use(
      async (_store, [loaded], nowMs) => {
        expect(loaded?.disconnectedAtMs).toBe(today);
        expect(nowMs).toBe(today + 9 * hour);
      },
      at({ wallMs: today + 9 * hour, uptimeMs: 60_000, boot: "another" }),
    );
  });

  test("what was not believed is said", async () => {
    await use(async (store) => store.putSession(session(today)), at({ wallMs: today, uptimeMs: hour }));
    const store = lmdbStore({ directory, time: at({ wallMs: 0, uptimeMs: 60_000, boot: "another" }) });
    const { time } = await store.open();
    await store.close();
    expect(time).toEqual({ nowMs: today + 60_000, doubt: expect.stringMatching(/not believed/) });
  });

  function at({ wallMs, uptimeMs, boot = "one" }: { wallMs: number; uptimeMs: number; boot?: string }): SystemTime {
    return { wallMs: () => wallMs, monotonicMs: () => 0, uptimeMs: () => uptimeMs, boot };
  }
});

type Loaded = Awaited<ReturnType<BrokerStore["open"]>>["sessions"] extends Iterable<infer Session> ? Session : never;

/** Opens the store at a time, and closes it in the end. */
async function use(
  task: (store: BrokerStore, sessions: Loaded[], nowMs: number | undefined) => Promise<void>,
  systemTime?: SystemTime,
): Promise<void> {
  const store = lmdbStore({ directory, ...(systemTime && { time: systemTime }) });
  const { sessions, time } = await store.open();
  await task(store, [...sessions], time?.nowMs);
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
