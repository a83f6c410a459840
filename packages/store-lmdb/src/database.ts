import { closeSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { readMark } from "./durable-mark.ts";
import { corrupt, LmdbStoreError } from "./failure.ts";

export type Table = Database<Buffer, Uint8Array>;

/** `sync` forces what is written to the disk, on another thread; the types of `lmdb` leave it out. */
export type Root = RootDatabase<Buffer, Uint8Array> & { sync(callback: (error?: Error) => void): void };

/** The tables of a store. Keys are in keys.ts, records in message-records.ts and session-records.ts. */
export interface Tables {
  readonly root: Root;
  /** Format, owner and clock. */
  readonly meta: Table;
  readonly sessions: Table;
  readonly subscriptions: Table;
  readonly queue: Table;
  readonly outgoing: Table;
  readonly incoming: Table;
  readonly retained: Table;
  /** Publications that more than one record refers to, or that are large. */
  readonly bodies: Table;
  /** How many records refer to a body; absent means one. */
  readonly references: Table;
  /** Numbers of deleted sessions whose records are not all removed yet. */
  readonly doomed: Table;
}

/** The layout of the whole store. A store with a higher number is refused; a lower one is brought up when opened. */
export const FORMAT_VERSION = 1;

/** File of the database inside the directory. */
export const DATA_FILE = "data.mdb";

/** Opens or creates the database and checks that it is a store of a format this version knows. */
export function openTables(directory: string): Tables {
  mkdirSync(directory, { recursive: true });
  checkHead(directory);
  const root = openRoot(directory);
  try {
    checkLength(directory, root);
    const meta = openTable(root, "meta");
    checkFormat(root, meta);
    return {
      root,
      meta,
      sessions: openTable(root, "sessions"),
      subscriptions: openTable(root, "subscriptions"),
      queue: openTable(root, "queue"),
      outgoing: openTable(root, "outgoing"),
      incoming: openTable(root, "incoming"),
      retained: openTable(root, "retained"),
      bodies: openTable(root, "bodies"),
      references: openTable(root, "references"),
      doomed: openTable(root, "doomed"),
    };
  } catch (error) {
    void root.close();
    throw error;
  }
}

/** Number of the newest transaction. */
export function lastTransaction(root: Root): number {
  return (root.getStats() as { lastTxnId: number }).lastTxnId;
}

/** One transaction that does not wait for the disk. Returns its number. */
export function transactUnforced(root: Root, action: () => void): number {
  return root.transactionSync(() => {
    action();
    return root.getWriteTxnId();
  }, UNFORCED);
}

/** Forces what is written to the disk, on another thread. */
export function force(root: Root): Promise<void> {
  return new Promise((resolve, reject) => root.sync((error) => (error === undefined ? resolve() : reject(error))));
}

/** At the newest transaction, or at the one before it when the newest may not be wholly on the disk. */
function openRoot(directory: string): Root {
  const mark = readMark(directory) ?? Number.POSITIVE_INFINITY;
  const newest = open<Buffer, Uint8Array>({ path: directory, ...OPTIONS }) as Root;
  if (lastTransaction(newest) <= mark) {
    return newest;
  }
  void newest.close();
  const previous = open<Buffer, Uint8Array>({ path: directory, ...PREVIOUS }) as Root;
  if (lastTransaction(previous) <= mark) {
    return previous;
  }
  // Only who is alone with the database can go back: somebody is at work there, and was faster than our reading.
  void previous.close();
  throw new LmdbStoreError("store-locked", `the store in ${directory} is in use by another process`);
}

function openTable(root: Root, name: string): Table {
  return root.openDB<Buffer, Uint8Array>(name, { encoding: "binary", keyEncoding: "binary" });
}

/** Another program's file is refused here; the database itself would read it as pages of its own, whatever comes of it. */
function checkHead(directory: string): void {
  let file: number;
  try {
    file = openSync(join(directory, DATA_FILE), "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return;
    }
    throw error;
  }
  try {
    const head = Buffer.alloc(MAGIC_WITHIN);
    const length = readSync(file, head, 0, MAGIC_WITHIN, 0);
    if (length > 0 && !MAGIC.some((magic) => head.includes(magic))) {
      throw corrupt(`${DATA_FILE} is of another kind`);
    }
  } finally {
    closeSync(file);
  }
}

/** A file that lost its end would stop the process when a page behind it is read, so that is looked for first. */
function checkLength(directory: string, root: Root): void {
  const { pageSize, lastPageNumber } = root.getStats() as { pageSize: number; lastPageNumber: number };
  const { size } = statSync(join(directory, DATA_FILE));
  if (size < (lastPageNumber + 1) * pageSize) {
    throw corrupt(`${DATA_FILE} is cut short`);
  }
}

/** A new database gets this format; one with other contents than a store's is not touched. */
function checkFormat(root: Root, meta: Table): void {
  const record = meta.getBinary(FORMAT_KEY);
  if (record === undefined) {
    const names = [...root.getKeys({ start: FIRST_KEY })];
    if (names.length > 1) {
      throw corrupt("the database belongs to another program");
    }
    const format = Buffer.concat([FORMAT_NAME, Buffer.alloc(2)]);
    format.writeUInt16BE(FORMAT_VERSION, FORMAT_NAME.length);
    meta.putSync(FORMAT_KEY, format);
    return;
  }
  if (record.length !== FORMAT_NAME.length + 2 || !record.subarray(0, FORMAT_NAME.length).equals(FORMAT_NAME)) {
    throw corrupt("the database belongs to another program");
  }
  const version = record.readUInt16BE(FORMAT_NAME.length);
  if (version > FORMAT_VERSION) {
    const message = `the store has format ${version}; this version of Tidewire knows formats up to ${FORMAT_VERSION}`;
    throw new LmdbStoreError("store-version", message);
  }
}

/** LMDB's own mark, in either byte order, within the header of the first page. */
const MAGIC = [Buffer.from("dec0efbe", "hex"), Buffer.from("beefc0de", "hex")];
const MAGIC_WITHIN = 64;

const OPTIONS = {
  noSubdir: false,
  maxDbs: 16,
  encoding: "binary",
  keyEncoding: "binary",
  // Commits here are synchronous: a full disk ends the process when asynchronous ones meet it. And with overlapping
  // syncs every commit would force the disk itself.
  overlappingSync: false,
} as const;

/** An option that the types of `lmdb` leave out. */
const PREVIOUS = { ...OPTIONS, usePreviousSnapshot: true };

/** Abortable, committed before it returns, not forced: three of the flags of `lmdb`. */
const UNFORCED: number = 1 | 2 | 0x10000;

const FORMAT_KEY = Buffer.from("format");
const FORMAT_NAME = Buffer.from("tidewire-store:");
const FIRST_KEY = Buffer.of(0);
