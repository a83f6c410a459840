import {
  countNodes,
  HEADER_BYTES,
  overflowPages,
  pageKind,
  pageNumber,
  readLeaf,
  readOverflow,
  type Snapshot,
} from "./layout.ts";
import type { PageFile } from "./page-file.ts";
import { pageProblem, type Walk } from "./walk.ts";

/** A record on a page that nothing leads to. `value` is undefined when the pages that it goes on to are damaged. */
export interface StrayRecord {
  readonly key: Buffer;
  readonly value: () => Buffer | undefined;
}

/** The records of all leaf pages of a snapshot that are neither in use nor free, because what led to them is damaged. */
export class LeafScan implements Iterable<StrayRecord> {
  readonly #file: PageFile;
  readonly #snapshot: Snapshot;
  readonly #walk: Walk;
  readonly #free: Uint8Array;

  constructor(file: PageFile, snapshot: Snapshot, walk: Walk, free: Uint8Array) {
    this.#file = file;
    this.#snapshot = snapshot;
    this.#walk = walk;
    this.#free = free;
  }

  *[Symbol.iterator](): Generator<StrayRecord> {
    const { used } = this.#walk;
    for (let number = 2; number < used.length; number += 1) {
      if (used[number] === 1 || this.#free[number] === 1) {
        continue;
      }
      const page = this.#file.page(number);
      if (page !== undefined && pageKind(page) === "overflow" && pageNumber(page) === number) {
        // The pages behind it hold a client's bytes, whatever they look like.
        number += Math.max(0, overflowPages(page) - 1);
        continue;
      }
      if (page === undefined || pageProblem(page, number, "leaf", this.#snapshot) !== undefined) {
        continue;
      }
      const count = countNodes(page)!;
      for (let index = 0; index < count; index += 1) {
        const leaf = readLeaf(page, index);
        if (leaf !== undefined && leaf.kind !== "tree") {
          yield { key: leaf.key, value: () => (this.#isReadable(leaf) ? this.#walk.valueOf(leaf) : undefined) };
        }
      }
    }
  }

  #isReadable(leaf: NonNullable<ReturnType<typeof readLeaf>>): boolean {
    if (leaf.kind !== "overflow") {
      return true;
    }
    const { page, pages } = readOverflow(leaf);
    if (page < 2 || pages !== Math.ceil((HEADER_BYTES + leaf.valueBytes) / this.#snapshot.pageSize)) {
      return false;
    }
    const header = this.#file.header(page, pages);
    return (
      header !== undefined &&
      pageNumber(header) === page &&
      pageKind(header) === "overflow" &&
      overflowPages(header) === pages
    );
  }
}
