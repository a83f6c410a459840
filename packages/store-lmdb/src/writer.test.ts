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
  const reader = new RecordReader();
  staging = new Staging(directory, tables, reader, load(tables, reader, undefined), 1024);
  const batch = new BatchWriter(tables, new RecordWriter(), reader, 1000);
  mark = new DurableMark(directory, pageSize(tables.root), lastTransaction(tables.root), true);
  writer = new StoreWriter({ directory, tables, staging, batch, mark, clock: new StoreClock(systemTime, undefined) });
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
