import {
  countNodes,
  HEADER_BYTES,
  type Leaf,
  MAX_DEPTH,
  overflowPages,
  pageKind,
  pageNumber,
  readBranch,
  readLeaf,
  readOverflow,
  readU64,
  type Snapshot,
  type Tree,
} from "./layout.ts";
import type { PageFile } from "./page-file.ts";

/** Something that is not as the database writes it. */
export interface Damage {
  /** The name of the table, or `free` for the list of free pages. */
  readonly table: string;
  readonly page: number;
  /** What is wrong, as the end of a sentence about the page. */
  readonly problem: string;
}

export interface WalkHandler {
  /** May throw, which ends the walk. What is below a damaged page is not seen. */
  onDamage(damage: Damage): void;
  /** In the order of keys. Key and value are views that stay valid. */
  onLeaf?(leaf: Leaf): void;
}

/**
 * Visits all pages of a snapshot's trees without trusting any of them. One walk serves all trees of one snapshot: it
 * notices a page that two of them hold.
 */
export class Walk {
  /** By page: whether it is in use. */
  readonly used: Uint8Array;
  readonly #file: PageFile;
  readonly #snapshot: Snapshot;

  constructor(file: PageFile, snapshot: Snapshot) {
    this.#file = file;
    this.#snapshot = snapshot;
    // A header that names more pages than there is room for is caught before memory is asked for.
    const pages = Math.min(snapshot.lastPage + 1, Math.ceil(file.bytes / snapshot.pageSize));
    this.used = new Uint8Array(Math.max(2, pages));
    this.used.fill(1, 0, 2);
  }

  /** `integerKeys`: of the list of free pages, which is ordered by number. */
  tree(table: string, tree: Tree, handler: WalkHandler, integerKeys = false): void {
    const report = (page: number, problem: string): void => handler.onDamage({ table, page, problem });
    if (!integerKeys && tree.flags !== 0) {
      report(tree.root ?? 0, "is the root of a table that is kept in another way");
      return;
    }
    if (tree.root === undefined) {
      if (tree.entries !== 0) {
        report(0, `holds no root of ${table}, which should have ${tree.entries} records`);
      }
      return;
    }
    if (tree.depth < 1 || tree.depth > MAX_DEPTH) {
      report(tree.root, `is at the head of a tree ${tree.depth} pages deep`);
      return;
    }
    let entries = 0;
    let whole = true;
    let last: Buffer | undefined;
    const visit = (number: number, level: number): void => {
      const problem = this.#claim(number, 1);
      const page = problem === undefined ? this.#file.page(number) : undefined;
      if (page === undefined) {
        whole = false;
        report(number, problem ?? "lies beyond the end of the file");
        return;
      }
      const faults = pageProblem(page, number, level === tree.depth ? "leaf" : "branch", this.#snapshot);
      if (faults !== undefined) {
        whole = false;
        report(number, faults);
        return;
      }
      const count = countNodes(page)!;
      for (let index = 0; index < count; index += 1) {
        if (level < tree.depth) {
          const branch = readBranch(page, index);
          if (branch === undefined) {
            whole = false;
            report(number, NODE_OUTSIDE);
          } else {
            visit(branch.page, level + 1);
          }
          continue;
        }
        const leaf = readLeaf(page, index);
        if (leaf === undefined) {
          whole = false;
          report(number, NODE_OUTSIDE);
          continue;
        }
        if (last !== undefined && !isBefore(last, leaf.key, integerKeys)) {
          whole = false;
          report(number, "has keys in the wrong order");
        }
        last = leaf.key;
        entries += 1;
        const overflow = this.#overflowProblem(leaf);
        if (overflow !== undefined) {
          whole = false;
          report(number, overflow);
          continue;
        }
        handler.onLeaf?.(leaf);
      }
    };
    visit(tree.root, 1);
    if (whole && entries !== tree.entries) {
      report(tree.root, `leads to ${entries} records where there should be ${tree.entries}`);
    }
  }

  /** Notes which pages are free, and reports those that are in use as well. Call it after all other trees. */
  freePages(handler: WalkHandler): Uint8Array {
    const free = new Uint8Array(this.#snapshot.lastPage + 1);
    const report = (page: number, problem: string): void => handler.onDamage({ table: FREE, page, problem });
    const note = (page: number): void => {
      if (free[page] === 1) {
        report(page, "counts as free twice");
      }
      free[page] = 1;
    };
    const onLeaf = (leaf: Leaf): void => {
      for (const [first, count] of freeRanges(this.valueOf(leaf))) {
        if (first < 2 || first + count > free.length) {
          report(first, "counts as free and is no page of the database");
          continue;
        }
        for (let page = first; page < first + count; page += 1) {
          note(page);
        }
      }
    };
    this.tree(FREE, this.#snapshot.free, { onDamage: (damage) => handler.onDamage(damage), onLeaf }, true);
    for (let page = 2; page < free.length; page += 1) {
      if (free[page] === 1 && this.used[page] === 1) {
        report(page, "is in use and counts as free");
      }
    }
    return free;
  }

  /** The value itself, wherever it lies. */
  valueOf(leaf: Leaf): Buffer {
    return leaf.kind === "overflow" ? this.#file.value(readOverflow(leaf).page, leaf.valueBytes) : leaf.value;
  }

  #overflowProblem(leaf: Leaf): string | undefined {
    if (leaf.kind !== "overflow") {
      return undefined;
    }
    const { page, pages } = readOverflow(leaf);
    const { pageSize } = this.#snapshot;
    if (pages !== Math.ceil((HEADER_BYTES + leaf.valueBytes) / pageSize)) {
      return `has a record of ${leaf.valueBytes} bytes on ${pages} pages`;
    }
    const problem = this.#claim(page, pages);
    if (problem !== undefined) {
      return `has a record on page ${page}, which ${problem}`;
    }
    const header = this.#file.header(page, pages);
    if (header === undefined) {
      return `has a record on page ${page}, which lies beyond the end of the file`;
    }
    if (pageNumber(header) !== page || pageKind(header) !== "overflow" || overflowPages(header) !== pages) {
      return `has a record on page ${page}, which holds something else`;
    }
    return undefined;
  }

  #claim(first: number, count: number): string | undefined {
    if (first < 2 || first + count - 1 > this.#snapshot.lastPage) {
      return "is no page of the database";
    }
    if (first + count > this.used.length) {
      return "lies beyond the end of the file";
    }
    for (let page = first; page < first + count; page += 1) {
      if (this.used[page] === 1) {
        return "is in use twice";
      }
      this.used[page] = 1;
    }
    return undefined;
  }
}

/** Why a page is not what it should be; undefined when it is. */
export function pageProblem(
  page: Buffer,
  number: number,
  kind: "branch" | "leaf",
  snapshot: Snapshot,
): string | undefined {
  if (pageNumber(page) !== number || pageKind(page) !== kind) {
    return `is not the ${kind} page that should be there`;
  }
  if (readU64(page, 8) > snapshot.transaction) {
    return "is of a later transaction";
  }
  const count = countNodes(page);
  return count === undefined || count === 0 ? "has bounds that make no sense" : undefined;
}

/** First page and number of pages of each range in a list of free pages. */
function* freeRanges(list: Buffer): Generator<[first: number, count: number]> {
  const words = list.length < 8 ? 0 : readU64(list, 0) + 1;
  if (words === 0 || words * 8 > list.length) {
    yield NO_RANGE;
    return;
  }
  for (let word = 1; word < words; word += 1) {
    const entry = list.readBigInt64LE(word * 8);
    if (entry > 0n) {
      yield [Number(entry), 1];
    } else if (entry < 0n && word + 1 < words) {
      // A length, and then the page where the range begins.
      word += 1;
      yield [readU64(list, word * 8), Number(-entry)];
    }
  }
}

function isBefore(one: Buffer, other: Buffer, integers: boolean): boolean {
  return integers ? readU64(one, 0) < readU64(other, 0) : Buffer.compare(one, other) < 0;
}

/** Stands for a list that does not say where it ends. */
const NO_RANGE: [first: number, count: number] = [0, 0];
const FREE = "free";
const NODE_OUTSIDE = "has a record that does not lie within it";
