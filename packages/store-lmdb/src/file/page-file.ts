import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { HEADER_BYTES, readSnapshot, type Snapshot } from "./layout.ts";

/** The database's files inside a store's directory. */
export const DATA_FILE = "data.mdb";
export const LOCK_FILE = "lock.mdb";

/** Reads pages of a database file without the database. Pages are views of blocks that are kept for a while. */
export class PageFile {
  readonly bytes: number;
  readonly #file: number;
  readonly #blocks = new Map<number, Buffer>();
  #pageSize = DEFAULT_PAGE_BYTES;

  constructor(path: string) {
    this.#file = openSync(path, "r");
    this.bytes = fstatSync(this.#file).size;
  }

  close(): void {
    closeSync(this.#file);
  }

  /** The two header pages, as they are now; undefined for one that does not describe anything. */
  snapshots(): readonly [Snapshot | undefined, Snapshot | undefined] {
    this.#blocks.clear();
    const first = readSnapshot(this.read(0, DEFAULT_PAGE_BYTES));
    if (first !== undefined) {
      this.#pageSize = first.pageSize;
      return [first, readSnapshot(this.read(first.pageSize, DEFAULT_PAGE_BYTES))];
    }
    // The second says how long pages are, too, but has to be found first.
    for (let pageSize = 512; pageSize <= 65_536; pageSize *= 2) {
      const second = readSnapshot(this.read(pageSize, DEFAULT_PAGE_BYTES));
      if (second?.pageSize === pageSize) {
        this.#pageSize = pageSize;
        return [undefined, second];
      }
    }
    return [undefined, undefined];
  }

  /** Undefined when the file ends before the end of the page. */
  page(number: number): Buffer | undefined {
    const pagesPerBlock = Math.max(1, BLOCK_BYTES / this.#pageSize);
    const index = Math.floor(number / pagesPerBlock);
    const block = this.#blocks.get(index) ?? this.#readBlock(index, pagesPerBlock * this.#pageSize);
    const start = (number % pagesPerBlock) * this.#pageSize;
    return start + this.#pageSize <= block.length ? block.subarray(start, start + this.#pageSize) : undefined;
  }

  /** The front of a page whose rest is of no interest; undefined when the file ends before the end of `pages` pages. */
  header(number: number, pages: number): Buffer | undefined {
    if ((number + pages) * this.#pageSize > this.bytes) {
      return undefined;
    }
    return this.read(number * this.#pageSize, HEADER_BYTES);
  }

  /** What lies on overflow pages. */
  value(page: number, bytes: number): Buffer {
    return this.read(page * this.#pageSize + HEADER_BYTES, bytes);
  }

  /** Shorter when the file ends. */
  read(position: number, length: number): Buffer {
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, this.bytes - position)));
    let done = 0;
    while (done < buffer.length) {
      const count = readSync(this.#file, buffer, done, buffer.length - done, position + done);
      if (count === 0) {
        return buffer.subarray(0, done);
      }
      done += count;
    }
    return buffer;
  }

  #readBlock(index: number, bytes: number): Buffer {
    const block = this.read(index * bytes, bytes);
    if (this.#blocks.size >= MAX_BLOCKS) {
      // The oldest: trees are walked in order, so that little is needed twice.
      for (const oldest of this.#blocks.keys()) {
        this.#blocks.delete(oldest);
        break;
      }
    }
    this.#blocks.set(index, block);
    return block;
  }
}

const DEFAULT_PAGE_BYTES = 4096;
const BLOCK_BYTES = 65_536;
/** 8 MiB. */
const MAX_BLOCKS = 128;
