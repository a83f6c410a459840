import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { backupStore, checkStore, lmdbStore, repairStore } from "@tidewire/store-lmdb";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import {
  copy,
  editData,
  expectRefusedOrWhole,
  makeSamples,
  PAGE_BYTES,
  randomly,
  readAll,
  type Samples,
} from "./damage.ts";
import { temporaryDirectory } from "./harness.ts";

/* What `checkStore` sees, and what `repairStore` saves: docs/durability.md, "Damage". */

const HEADER_PAGES = 2;
const root = temporaryDirectory();
const victim = join(root, "victim");
const target = join(root, "target");
const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const random = randomly(seed);
let samples: Samples;
// Processes are started, and the machine may be busy with others.
vi.setConfig({ testTimeout: 120_000 });

beforeAll(async () => {
  samples = await makeSamples(root);
});

afterAll(() => rmSync(root, { recursive: true }));

test("nothing is wrong with a store after its end, after a kill, and with a backup", async () => {
  await backupStore({ directory: samples.closed, target: join(root, "backup") });
  for (const directory of [samples.closed, samples.killed, join(root, "backup")]) {
    const { problems, records } = await checkStore({ directory });
    expect(problems, directory).toEqual([]);
    expect(records).toMatchObject({
      sessions: 4,
      subscriptions: 4,
      queue: 156,
      outgoing: 4,
      incoming: 4,
      retained: 30,
    });
  }
});

test(`what can be read is saved, in order and whole (seed ${seed})`, async () => {
  const pages = statSync(join(samples.closed, "data.mdb")).size / PAGE_BYTES;
  let repaired = 0;
  for (const page of [0, 1, tableOfTables(samples.killed), ...Array.from({ length: 4 }, () => random(pages))]) {
    const story = `page ${page} zeroed`;
    editData(copy(samples.killed, victim), (file) => {
      file.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    });
    const refusal = await expectRefusedOrWhole(copy(victim, join(root, "try")), samples.contents, story);
    const { problems } = await checkStore({ directory: victim });
    if (refusal === undefined) {
      continue;
    }
    repaired += 1;
    expect(problems.length, story).toBeGreaterThan(0);
    rmSync(target, { recursive: true, force: true });
    const report = await repairStore({ directory: victim, target });
    expect(report.problems.length, story).toBeGreaterThan(0);
    expect((await checkStore({ directory: target })).problems, story).toEqual([]);
    const saved = await readAll(target);
    for (const part of ["messages", "retained"] as const) {
      const whole = saved[part].filter((line) => !line.endsWith(" in "));
      // Without the newest header page the last transaction is lost, which deleted this one.
      const before = part === "retained" && page < HEADER_PAGES ? ["kept/58 kept/58 300 whole"] : [];
      expect([...samples.contents[part], ...before], story).toEqual(expect.arrayContaining(whole));
    }
    const { sessions, queue, outgoing } = report.records;
    const expected = samples.contents.messages.length - 4;
    if (sessions.lost === 0 && queue.lost === 0 && outgoing.lost === 0) {
      expect(queue.saved + outgoing.saved, story).toBe(expected);
    }
    // One page holds a few records, and one that leads to others loses none. What is of a lost session goes with it.
    expect(sessions.lost !== 0 || queue.saved > 100, story).toBe(true);
  }
  expect(repaired).toBeGreaterThan(0);
});

test("a store of which nothing can be read, or that there is none of, is said to be that", async () => {
  truncateSync(join(copy(samples.closed, victim), "data.mdb"), 100);
  expect((await checkStore({ directory: victim })).problems).toHaveLength(1);
  rmSync(target, { recursive: true, force: true });
  await expect(repairStore({ directory: victim, target })).rejects.toMatchObject({ code: "store-corrupt" });
  await expect(checkStore({ directory: join(root, "nowhere") })).rejects.toMatchObject({ code: "store-failed" });
  await expect(repairStore({ directory: join(root, "nowhere"), target })).rejects.toMatchObject({
    code: "store-failed",
  });
});

test("what a store holds already is not written over", async () => {
  await expect(repairStore({ directory: samples.killed, target: samples.closed })).rejects.toMatchObject({
    code: "store-failed",
    message: expect.stringContaining("already"),
  });
});

test("what our own reader finds whole and the database cannot read is damaged, too", async () => {
  // The database opens its lock file as a file.
  rmSync(join(copy(samples.closed, victim), "lock.mdb"));
  mkdirSync(join(victim, "lock.mdb"));
  const { problems } = await checkStore({ directory: victim });
  expect(problems).toEqual([expect.stringMatching(/the database cannot read it.*ended with/s)]);
});

test("records on a page that nothing leads to any more are found", async () => {
  editData(copy(samples.killed, victim), (file) => {
    const page = tableOfTables(victim);
    file.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  });
  rmSync(target, { recursive: true, force: true });
  const { records } = await repairStore({ directory: victim, target });
  const saved = Object.entries(records).map(([table, count]) => [table, count.saved]);
  expect(Object.fromEntries(saved)).toMatchObject({ sessions: 4, queue: 156, outgoing: 4, incoming: 4, retained: 30 });
});

test("a backup of a damaged store is not made", async () => {
  editData(copy(samples.closed, victim), (file) => {
    file.fill(0, 0, PAGE_BYTES);
  });
  const backup = backupStore({ directory: victim, target: join(root, "no-backup") });
  await expect(backup).rejects.toMatchObject({ code: "store-corrupt" });
});

test("a backup that is put in the place of a store is told from one that lost its last transactions", async () => {
  const older = join(root, "older");
  copy(samples.closed, victim);
  await backupStore({ directory: victim, target: older });
  for (let count = 0; count < 5; count += 1) {
    await readAll(victim);
  }
  copyFileSync(join(older, "data.mdb"), join(victim, "data.mdb"));
  await expect(lmdbStore({ directory: victim }).open()).rejects.toThrow(/remove the file "durable"/);
  rmSync(join(victim, "durable"));
  expect(await readAll(victim)).toEqual(samples.contents);
});

/** A page that is in use, whatever the seed: the root of the tree with the names of all tables. */
function tableOfTables(directory: string): number {
  const file = readFileSync(join(directory, "data.mdb"));
  const newest = file.readBigUInt64LE(152) > file.readBigUInt64LE(PAGE_BYTES + 152) ? 0 : 1;
  return Number(file.readBigUInt64LE(newest * PAGE_BYTES + 136));
}
