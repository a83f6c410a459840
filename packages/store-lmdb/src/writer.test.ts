import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BatchWriter } from "./batch.ts";
import { StoreClock, systemTime } from "./clock.ts";
import { lastTransaction, openTables, pageSize, type Tables } from "./database.ts";
import { examine } from "./examine.ts";
import { load } from "./load.ts";
import { DurableMark, readMark } from "./mark.ts";
import { RecordReader } from "./record-reader.ts";
import { RecordWriter } from "./record-writer.ts";
import { Staging } from "./staging.ts";
import { StoreWriter } from "./writer.ts";

/* What a disk can do to a writer, injected where the database would report it. */

let directory: string;
let tables: Tables;
let staging: Staging;
let mark: DurableMark;
let writer: StoreWriter;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidewire-store-"));
  tables = openTables(directory, examine(directory));
  mark = new DurableMark(directory, { store: 1, pageSize: pageSize(tables.root) }, lastTransaction(tables.root), true);
  writer = openWriter(1000);
});

afterEach(async () => {
  await writer.end().catch(() => {});
  mark.close();
  await tables.root.close();
  rmSync(directory, { recursive: true });
});

test("a full disk: the commit rejects, everything stays staged, and the next one takes it along", async () => {
  keep("first");
  const restore = replace(tables.root, "transactionSync", () => {
    throw Object.assign(new Error("No space left on device"), { code: 28 });
  });
  await expect(writer.commit()).rejects.toMatchObject({ code: "store-full" });
  expect(writer.failure).toMatchObject({ code: "store-full" });
  expect(staging.readRetained("first")).toBeDefined();
  keep("second");
  await expect(writer.commit()).rejects.toMatchObject({ code: "store-full" });
  restore();
  // It is tried again without being asked.
  await writer.tend();
  expect(writer.failure).toBeUndefined();
  expect(writer.commit()).toBeUndefined();
  expect(tables.retained.getCount({ start: Buffer.of(0) })).toBe(2);
});

test("a disk that cannot be forced: nothing is acknowledged any more, whatever it says later", async () => {
  keep("first");
  const restore = replace(tables.root, "sync", (callback: (error: Error) => void) => callback(new Error("I/O error")));
  await expect(writer.commit()).rejects.toMatchObject({ code: "store-failed" });
  restore();
  keep("second");
  await expect(writer.commit()).rejects.toMatchObject({ code: "store-failed" });
  await writer.tend();
  expect(writer.failure).toMatchObject({ code: "store-failed" });
});

test("a commit is done when its transaction is marked, and waits for the disk before", async () => {
  let finish = (): void => {};
  const restore = replace(tables.root, "sync", (callback: () => void) => {
    finish = callback;
  });
  const before = marked();
  keep("first");
  let done = false;
  const commit = writer.commit()!.then(() => {
    done = true;
  });
  await turns(5);
  expect([done, marked()]).toEqual([false, before]);
  expect(lastTransaction(tables.root)).toBe(before + 1);
  finish();
  await commit;
  expect(marked()).toBe(before + 1);
  restore();
});

test("what is staged while a commit is under way shares the next one", async () => {
  const first = lastTransaction(tables.root);
  keep("first");
  const running = writer.commit();
  await turns(3);
  const commits = ["second", "third", "fourth"].map((topic) => {
    keep(topic);
    return writer.commit();
  });
  expect(new Set(commits).size).toBe(1);
  await Promise.all([running, ...commits]);
  expect(lastTransaction(tables.root)).toBe(first + 2);
});

// "Left-overs never purged."
test("what a deleted session leaves is removed a little at a time, without being asked, and also after a crash", async () => {
  writer = openWriter(10);
  await fillSession();
  const wasFull = tables.queue.getCount({ start: Buffer.of(0) });
  expect(wasFull).toBe(100);
  staging.deleteSession("one");
  await writer.commit();
  const left = tables.queue.getCount({ start: Buffer.of(0) });
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThan(wasFull);
  // As the next process finds it: nobody commits anything.
  await writer.end();
  const killedAt = tables.queue.getCount({ start: Buffer.of(0) });
  expect(killedAt).toBeGreaterThan(0);
  writer = openWriter(10);
  expect(staging.doomed.size).toBe(1);
  await writer.tend();
  while (tables.queue.getCount({ start: Buffer.of(0) }) > 0 || staging.doomed.size > 0) {
    await turns(1);
  }
  expect(tables.doomed.getCount({ start: Buffer.of(0) })).toBe(0);
});

async function fillSession(): Promise<void> {
  const none = { username: undefined, will: undefined, willAtMs: undefined, maybeSentBelow: undefined };
  staging.putSession({ clientId: "one", version: 5, sessionExpiryInterval: 60, disconnectedAtMs: 1, ...none });
  for (let sequence = 1; sequence <= 100; sequence += 1) {
    const rest = { qos: 1, retain: false, properties: undefined, publisher: undefined, storedId: undefined } as const;
    const publication = { topic: "t", payload: new Uint8Array(10), receivedAtMs: 0, expiresAtMs: 1, ...rest };
    staging.enqueue("one", { sequence, publication, qos: 1, retain: false, subscriptionIdentifiers: undefined });
  }
  await writer.commit();
}

/** On the database as it is now, as after a start. */
function openWriter(purgePerCommit: number): StoreWriter {
  const reader = new RecordReader();
  staging = new Staging(directory, tables, reader, load(tables, reader, undefined), 1024);
  const batch = new BatchWriter(tables, new RecordWriter(), reader, purgePerCommit);
  return new StoreWriter({ directory, tables, staging, batch, mark, clock: new StoreClock(systemTime, undefined) });
}

function keep(topic: string): void {
  const rest = { qos: 1, retain: true, properties: undefined, publisher: undefined, storedId: undefined } as const;
  const expiresAtMs = Number.POSITIVE_INFINITY;
  staging.putRetained({ topic, payload: new Uint8Array(10), receivedAtMs: 0, expiresAtMs, ...rest });
}

/** The transaction that the mark names. */
function marked(): number {
  const mark = readMark(directory);
  return mark?.state === "open" ? mark.transaction : Number.NaN;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Puts a function in place of a method; returns what takes it out. */
function replace<Name extends "transactionSync" | "sync">(root: Tables["root"], name: Name, by: unknown): () => void {
  Object.defineProperty(root, name, { value: by, configurable: true, writable: true });
  return () => {
    Reflect.deleteProperty(root, name);
  };
}
