import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DATA_FILE } from "./file/index.ts";
import { DurableMark, headerChecksum, markNew, readMark } from "./mark.ts";

const PAGE_BYTES = 4096;
const DATABASE = { store: 0x12345678, pageSize: PAGE_BYTES };
let directory: string;
let pages: Buffer;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidewire-mark-"));
  pages = Buffer.from(Array.from({ length: 2 * PAGE_BYTES }, (_, index) => (index * 7) % 256));
  writeFileSync(join(directory, DATA_FILE), pages);
});

afterEach(() => rmSync(directory, { recursive: true }));

test("a mark names the transaction and what its header page says", async () => {
  expect(readMark(directory)).toBeUndefined();
  const mark = new DurableMark(directory, DATABASE, 6, true);
  const even = headerChecksum(pages.subarray(0, PAGE_BYTES));
  const odd = headerChecksum(pages.subarray(PAGE_BYTES));
  expect(readMark(directory)).toEqual({ state: "open", transaction: 6, checksum: even, store: DATABASE.store });
  await mark.set(7);
  expect(readMark(directory)).toEqual({ state: "open", transaction: 7, checksum: odd, store: DATABASE.store });
  mark.end(8);
  mark.close();
  mark.close();
  expect(readMark(directory)).toEqual({ state: "closed", transaction: 8, checksum: even, store: DATABASE.store });
});

test("a store whose commits do not wait for the disk names no transaction until its end", () => {
  const mark = new DurableMark(directory, DATABASE, 6, false);
  expect(readMark(directory)).toEqual({ state: "unforced" });
  mark.end(9);
  mark.close();
  expect(readMark(directory)).toMatchObject({ state: "closed", transaction: 9 });
});

// A torn mark that is believed would leave out a transaction that was acknowledged, or let one in that is not whole.
test("a mark that is torn between any two bytes is not believed", () => {
  const mark = new DurableMark(directory, DATABASE, 300, true);
  const before = readFileSync(join(directory, "durable"));
  mark.end(70_001);
  mark.close();
  const after = readFileSync(join(directory, "durable"));
  let torn = 0;
  for (let cut = 1; cut < after.length; cut += 1) {
    for (const [front, rest] of [
      [after, before],
      [before, after],
    ]) {
      const record = Buffer.concat([front!.subarray(0, cut), rest!.subarray(cut)]);
      if (record.equals(before) || record.equals(after)) {
        continue;
      }
      torn += 1;
      writeFileSync(join(directory, "durable"), record);
      expect(readMark(directory), `torn at ${cut}`).toEqual({ state: "unreadable" });
    }
    writeFileSync(join(directory, "durable"), after.subarray(0, cut));
    expect(readMark(directory), `cut off at ${cut}`).toEqual({ state: "unreadable" });
  }
  expect(torn).toBeGreaterThan(20);
});

test("the mark of a store that is being made stays the one that is there", () => {
  markNew(directory);
  expect(readMark(directory)).toEqual({ state: "new" });
  const mark = new DurableMark(directory, DATABASE, 6, true);
  mark.close();
  markNew(directory);
  expect(readMark(directory)).toMatchObject({ state: "open", transaction: 6 });
});
