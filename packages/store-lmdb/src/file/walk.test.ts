import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { readTree, type Snapshot } from "./layout.ts";
import { DATA_FILE, PageFile } from "./page-file.ts";
import { type Damage, Walk } from "./walk.ts";

/* Each rule of the walk by itself: a page that breaks it alone, in a database that is whole otherwise. */

const PAGE_BYTES = 4096;
const LOWER_AT = 20;
const RECORDS = 600;
const directory = mkdtempSync(join(tmpdir(), "tidewire-walk-"));
const path = join(directory, DATA_FILE);
let whole: Buffer;
let file: Buffer;

beforeAll(async () => {
  const root = open<Buffer, Buffer>({ path: directory, noSubdir: false, overlappingSync: false, ...BINARY });
  const table = root.openDB<Buffer, Buffer>("records", BINARY);
  for (let round = 0; round < 4; round += 1) {
    root.transactionSync(() => {
      for (let index = 0; index < RECORDS; index += 1) {
        const key = Buffer.from(`${index}`.padStart(8, "0"));
        table.putSync(key, Buffer.alloc(index % 100 === 0 ? 9000 : 60, round));
      }
    });
  }
  await root.close();
  whole = readFileSync(path);
});

beforeEach(() => {
  file = Buffer.from(whole);
});

afterAll(() => rmSync(directory, { recursive: true }));

test("a whole database has all its records and no damage", () => {
  const { damages, records, free } = walk();
  expect(damages).toEqual([]);
  expect(records).toBe(RECORDS);
  expect(free).toBeGreaterThan(0);
});

test("a page that two places lead to", () => {
  const { root } = records();
  // The second child of the root takes the first one's place.
  file.writeUInt32LE(file.readUInt32LE(nodeAt(root!, 1)), nodeAt(root!, 0));
  expect(problems()).toContainEqual(expect.stringMatching(/in use twice/));
});

test("fewer or more records than there should be", () => {
  const at = treeAt();
  file.writeUInt32LE(RECORDS + 1, at + 32);
  expect(problems()).toEqual([`leads to ${RECORDS} records where there should be ${RECORDS + 1}`]);
  file.writeUInt32LE(0, at + 32);
  file.writeUInt32LE(0xffff_ffff, at + 40);
  file.writeUInt32LE(0xffff_ffff, at + 44);
  expect(problems()).toEqual([]);
  file.writeUInt32LE(5, at + 32);
  expect(problems()).toContainEqual(expect.stringMatching(/no root of records, which should have 5/));
});

test("a page of a later transaction", () => {
  const { root } = records();
  file.writeUInt32LE(1000, root! * PAGE_BYTES + 8);
  expect(problems()).toEqual(["is of a later transaction"]);
});

test("a page that says it is another, or of another kind, or has bounds that make no sense", () => {
  const start = records().root! * PAGE_BYTES;
  file.writeUInt32LE(3, start);
  expect(problems()).toEqual(["is not the branch page that should be there"]);
  whole.copy(file);
  file.writeUInt16LE(2, start + 18);
  expect(problems()).toEqual(["is not the branch page that should be there"]);
  for (const lower of [0, 3, 5000, 40_000]) {
    whole.copy(file);
    file.writeUInt16LE(lower, start + LOWER_AT);
    expect(problems(), `${lower}`).toEqual(["has bounds that make no sense"]);
  }
});

test("a record outside its page, or keys in the wrong order", () => {
  const leaf = firstLeaf();
  file.writeUInt16LE(4090, leaf * PAGE_BYTES + 24);
  expect(problems()).toEqual(["has a record that does not lie within it"]);
  whole.copy(file);
  const first = file.readUInt16LE(leaf * PAGE_BYTES + 24);
  file.writeUInt16LE(file.readUInt16LE(leaf * PAGE_BYTES + 26), leaf * PAGE_BYTES + 24);
  file.writeUInt16LE(first, leaf * PAGE_BYTES + 26);
  expect(problems()).toContain("has keys in the wrong order");
});

test("a record whose pages are others, too many, or beyond the end", () => {
  const leaf = firstLeaf();
  // The first record is a long one: its key has eight bytes, and then comes where it lies.
  const at = nodeAt(leaf, 0) + 8 + 8;
  const page = file.readUInt32LE(at);
  file.writeUInt32LE(4, at + 16);
  expect(problems()).toContainEqual(expect.stringMatching(/a record of 9000 bytes on 4 pages/));
  whole.copy(file);
  file.writeUInt32LE(leaf, at);
  expect(problems()).toContainEqual(expect.stringMatching(/in use twice/));
  whole.copy(file);
  file.writeUInt32LE(1_000_000, at);
  expect(problems()).toContainEqual(expect.stringMatching(/is no page of the database/));
  whole.copy(file);
  file.writeUInt16LE(2, page * PAGE_BYTES + 18);
  expect(problems()).toContainEqual(expect.stringMatching(/which holds something else/));
});

test("free pages that are in use, free twice, or none of the database", () => {
  const { at, count } = freeList();
  expect(count).toBeGreaterThan(1);
  const { root } = records();
  for (const [page, problem] of [
    [root!, "is in use and counts as free"],
    [file.readUInt32LE(at + 16), "counts as free twice"],
    [1, "counts as free and is no page of the database"],
    [5_000_000, "counts as free and is no page of the database"],
  ] as const) {
    whole.copy(file);
    file.writeUInt32LE(page, at + 8);
    expect(problems(), `${page}`).toEqual([problem]);
  }
  whole.copy(file);
  file.writeUInt32LE(100_000, at);
  expect(problems()).toEqual(["counts as free and is no page of the database"]);
});

function problems(): string[] {
  return walk().damages.map(({ problem }) => problem);
}

function walk(): { damages: Damage[]; records: number; free: number } {
  writeFileSync(path, file);
  const pages = new PageFile(path);
  const damages: Damage[] = [];
  const onDamage = (damage: Damage): void => {
    damages.push(damage);
  };
  let found = 0;
  const snapshot = newest(pages);
  const visit = new Walk(pages, snapshot);
  visit.tree("main", snapshot.main, {
    onDamage,
    onLeaf: ({ value }) => {
      const onLeaf = (): void => {
        found += 1;
      };
      visit.tree("records", readTree(value, 0), { onDamage, onLeaf });
    },
  });
  const free = visit.freePages({ onDamage }).reduce((sum, one) => sum + one, 0);
  pages.close();
  return { damages, records: found, free };
}

function newest(pages: PageFile): Snapshot {
  const [first, second] = pages.snapshots();
  return first!.transaction > second!.transaction ? first! : second!;
}

function snapshotOf(): Snapshot {
  const pages = new PageFile(path);
  const snapshot = newest(pages);
  pages.close();
  return snapshot;
}

/** Where the description of the table stands: after the key in the only node of the table of tables. */
function treeAt(): number {
  return nodeAt(snapshotOf().main.root!, 0) + 8 + "records\0".length;
}

function records(): { readonly root: number | undefined } {
  return readTree(file, treeAt());
}

function firstLeaf(): number {
  return file.readUInt32LE(nodeAt(records().root!, 0));
}

/** The value of the first record in the list of free pages that lists two pages one by one. */
function freeList(): { readonly at: number; readonly count: number } {
  const root = snapshotOf().free.root!;
  const nodes = file.readUInt16LE(root * PAGE_BYTES + LOWER_AT) / 2;
  for (let index = 0; index < nodes; index += 1) {
    const at = nodeAt(root, index) + 8 + 8;
    const isPlain = file.readInt32LE(at + 12) === 0 && file.readInt32LE(at + 20) === 0;
    if (file.readUInt32LE(at) > 1 && isPlain && file.readUInt32LE(at + 8) > 0) {
      return { at, count: file.readUInt32LE(at) };
    }
  }
  throw new Error("there is no such list");
}

function nodeAt(page: number, index: number): number {
  const start = page * PAGE_BYTES + 24;
  return start + file.readUInt16LE(start + index * 2);
}

const BINARY = { encoding: "binary", keyEncoding: "binary" } as const;
