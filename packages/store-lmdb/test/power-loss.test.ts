import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrokerStore } from "@tidewire/broker";
import { lmdbStore } from "@tidewire/store-lmdb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { temporaryDirectory } from "./harness.ts";

/*
 * After a power loss the header of the newest transaction may be on the disk without its pages. Such a file is put
 * together here from two moments of a store: the pages of the first, the header of the second.
 */

const PAGE_BYTES = 4096;
let directory: string;

beforeEach(() => {
  directory = temporaryDirectory();
});

afterEach(() => rmSync(directory, { recursive: true }));

test("a transaction that was not marked and lost its pages is left out", async () => {
  const live = join(directory, "live");
  const store = lmdbStore({ directory: live });
  await store.open();
  await keep(store, "first");
  const before = snapshot(live);
  const mark = readFileSync(join(live, "durable"));
  await keep(store, "second");
  const after = snapshot(live);
  await store.close();

  const torn = join(directory, "torn");
  mkdirSync(torn);
  copyFileSync(join(live, "lock.mdb"), join(torn, "lock.mdb"));
  writeFileSync(join(torn, "data.mdb"), withNewestHeader(before, after));
  writeFileSync(join(torn, "durable"), mark);
  expect(await retained(torn)).toEqual(["first"]);
  // And it goes on from there.
  const again = lmdbStore({ directory: torn });
  await again.open();
  await keep(again, "third");
  await again.close();
  expect(await retained(torn)).toEqual(["first", "third"]);
});

test("a transaction that was marked is kept after a kill, and so is one that was not in its way yet", async () => {
  const live = join(directory, "live");
  const store = lmdbStore({ directory: live });
  await store.open();
  await keep(store, "first");
  await keep(store, "second");
  const killed = join(directory, "killed");
  mkdirSync(killed);
  for (const file of ["data.mdb", "durable", "lock.mdb"]) {
    copyFileSync(join(live, file), join(killed, file));
  }
  await store.close();
  expect(await retained(killed)).toEqual(["first", "second"]);
});

async function keep(store: BrokerStore, topic: string): Promise<void> {
  const payload = new Uint8Array(20_000);
  const rest = { qos: 1, retain: true, properties: undefined, publisher: undefined, storedId: undefined } as const;
  store.putRetained({ topic, payload, receivedAtMs: 0, expiresAtMs: Number.POSITIVE_INFINITY, ...rest });
  await store.commit();
}

async function retained(from: string): Promise<string[]> {
  const store = lmdbStore({ directory: from });
  const { retained: index } = await store.open();
  const topics = [...index].map(({ topic }) => topic).sort();
  for (const topic of topics) {
    expect(store.readRetained(topic)?.payload.length).toBe(20_000);
  }
  await store.close();
  return topics;
}

function snapshot(from: string): Buffer {
  return readFileSync(join(from, "data.mdb"));
}

/** The pages of `before`, as long as `after`, and that one of the two header pages that differs most: the newest. */
function withNewestHeader(before: Buffer, after: Buffer): Buffer {
  const file = Buffer.alloc(after.length);
  before.copy(file);
  const newest = transactionOf(after, 0) > transactionOf(after, 1) ? 0 : 1;
  after.copy(file, newest * PAGE_BYTES, newest * PAGE_BYTES, (newest + 1) * PAGE_BYTES);
  return file;
}

/** Where LMDB keeps the number of the transaction that wrote a header page. */
function transactionOf(file: Buffer, page: number): bigint {
  return file.readBigUInt64LE(page * PAGE_BYTES + TRANSACTION_AT);
}
const TRANSACTION_AT = 152;
