import {
  closeSync,
  constants,
  fdatasync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  write,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import { DATA_FILE } from "./file/index.ts";

/*
 * Transactions are written without waiting for the disk, which is forced on another thread afterwards. Between the two,
 * a power loss may leave the header of the newest transaction on the disk and not its pages. So a file of its own names
 * the last transaction that is wholly on the disk, and is written, itself by force, before a commit is said to be
 * done. The database keeps the transaction before the newest intact: if the newest is beyond the mark, that one is
 * opened instead. Nobody was promised what is lost that way.
 *
 * The mark stays in the directory after an orderly end, so that a database that was lost, emptied or put in another's
 * place is noticed: one that is behind its mark has lost what was acknowledged.
 */

/**
 * `new`: the database is being made and has never held anything. `open`, `closed`: `transaction` is wholly on the disk,
 * while a store is at work and after its end. `unforced`: a store is at work that does not wait for the disk.
 * `unreadable`: cut off while it was written.
 */
export type Mark =
  | { readonly state: "new" | "unforced" | "unreadable" }
  | {
      readonly state: "open" | "closed";
      readonly transaction: number;
      /** Of the header page of that transaction. */
      readonly checksum: number;
      /** Which store it is of. */
      readonly store: number;
    };

/** Undefined when there is none, as in a backup. */
export function readMark(directory: string): Mark | undefined {
  let record: Buffer;
  try {
    record = readFileSync(join(directory, MARK_FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
  if (record.length !== RECORD_BYTES || record.readUInt32BE(CRC_AT) !== crc32(record.subarray(0, CRC_AT))) {
    return UNREADABLE;
  }
  const state = STATES[record[STATE_AT]!];
  if (record.readUInt32BE(0) !== MAGIC || state === undefined) {
    return UNREADABLE;
  }
  if (state === "new" || state === "unforced") {
    return { state };
  }
  return {
    state,
    transaction: record.readDoubleBE(TRANSACTION_AT),
    checksum: record.readUInt32BE(CHECKSUM_AT),
    store: record.readUInt32BE(STORE_AT),
  };
}

/** Before the database is made: as long as this mark is there, nothing was ever kept. Leaves a mark that is there. */
export function markNew(directory: string): void {
  let file: number;
  try {
    file = openSync(join(directory, MARK_FILE), "wx", 0o666);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      return;
    }
    throw error;
  }
  try {
    writeSync(file, fill("new", 0, 0, 0), 0, RECORD_BYTES, 0);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The database that is marked. */
export interface MarkedDatabase {
  /** See `storeId`. */
  readonly store: number;
  readonly pageSize: number;
}

/** Writes the marks of a store at work, one after the other. */
export class DurableMark {
  readonly #file: number;
  readonly #database: number;
  readonly #pageSize: number;
  readonly #store: number;
  readonly #header: Buffer = Buffer.alloc(HEADER_BYTES);
  #closed = false;

  /** `forced`: whether commits wait for the disk. `transaction` is wholly on the disk already. */
  constructor(directory: string, { store, pageSize }: MarkedDatabase, transaction: number, forced: boolean) {
    this.#store = store;
    this.#pageSize = pageSize;
    this.#database = openSync(join(directory, DATA_FILE), "r");
    try {
      this.#file = openSync(join(directory, MARK_FILE), constants.O_RDWR | constants.O_CREAT | WRITES_WAIT, 0o666);
    } catch (error) {
      closeSync(this.#database);
      throw error;
    }
    try {
      this.#write(forced ? "open" : "unforced", transaction);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Resolves when the mark is on the disk. */
  async set(transaction: number): Promise<void> {
    const record = fill("open", transaction, this.#checksum(transaction), this.#store);
    if ((await writeAt(this.#file, record, 0, RECORD_BYTES, 0)).bytesWritten !== RECORD_BYTES) {
      throw new Error("the mark was cut short");
    }
    if (WRITES_WAIT === 0) {
      await force(this.#file);
    }
  }

  /** After an orderly end, when everything is on the disk. */
  end(transaction: number): void {
    this.#write("closed", transaction);
  }

  /** Leaves the last mark as it is. */
  close(): void {
    if (!this.#closed) {
      this.#closed = true;
      closeSync(this.#file);
      closeSync(this.#database);
    }
  }

  #write(state: WrittenState, transaction: number): void {
    const checksum = state === "unforced" ? 0 : this.#checksum(transaction);
    writeSync(this.#file, fill(state, transaction, checksum, this.#store), 0, RECORD_BYTES, 0);
    if (WRITES_WAIT === 0) {
      fsyncSync(this.#file);
    }
  }

  /** Of the database's header page of this transaction, which is its newest. */
  #checksum(transaction: number): number {
    const position = (transaction % 2) * this.#pageSize + HEADER_AT;
    readSync(this.#database, this.#header, 0, HEADER_BYTES, position);
    return crc32(this.#header);
  }
}

/** What a mark says of a header page: the part that names the transaction, its trees and its last page. */
export function headerChecksum(page: Buffer): number {
  return crc32(page.subarray(HEADER_AT, HEADER_AT + HEADER_BYTES));
}

type WrittenState = Exclude<Mark["state"], "unreadable">;

function fill(state: WrittenState, transaction: number, checksum: number, store: number): Buffer {
  const record = Buffer.alloc(RECORD_BYTES);
  record.writeUInt32BE(MAGIC, 0);
  record[STATE_AT] = STATES.indexOf(state);
  record.writeDoubleBE(transaction, TRANSACTION_AT);
  record.writeUInt32BE(checksum, CHECKSUM_AT);
  record.writeUInt32BE(store, STORE_AT);
  record.writeUInt32BE(crc32(record.subarray(0, CRC_AT)), CRC_AT);
  return record;
}

export const MARK_FILE = "durable";

const UNREADABLE: Mark = { state: "unreadable" };
/** Their places are what is written. */
const STATES: readonly WrittenState[] = ["new", "open", "unforced", "closed"];
const MAGIC = 0x5457_4d4b;
const STATE_AT = 4;
const TRANSACTION_AT = 8;
const CHECKSUM_AT = 16;
const STORE_AT = 20;
const CRC_AT = 24;
const RECORD_BYTES = 28;
/** Trees, last page and transaction; what is before depends on the machine, what is behind on when it was started. */
const HEADER_AT = 48;
const HEADER_BYTES = 112;
/** Lets a write return when it is on the disk, where the system can (not on Windows). */
const WRITES_WAIT = constants.O_DSYNC ?? 0;
const writeAt = promisify(write);
const force = promisify(fdatasync);
