/*
 * How LMDB lays out its file, as far as it has to be read without LMDB: the library trusts what it finds, and a damaged
 * page ends the process. Numbers are little-endian, as on every machine that Tidewire's builds of LMDB are made for.
 *
 * Pages 0 and 1 are headers; transaction N writes page N % 2, so that one of them always describes a whole snapshot. All
 * others begin with their own number and kind. Branch and leaf pages hold nodes, found through a list of offsets.
 */

/** A tree of pages: one table, or the list of free pages. */
export interface Tree {
  /** Page number; undefined when the tree is empty. */
  readonly root: number | undefined;
  /** How keys are ordered and values kept. */
  readonly flags: number;
  readonly depth: number;
  readonly entries: number;
}

/** What a header page describes. */
export interface Snapshot {
  readonly transaction: number;
  readonly pageSize: number;
  readonly lastPage: number;
  readonly free: Tree;
  /** The tree with the names of all tables. */
  readonly main: Tree;
}

/** What stands in a branch page: separator key and page below. */
export interface Branch {
  readonly key: Buffer;
  readonly page: number;
}

/** What stands in a leaf page. */
export interface Leaf {
  readonly key: Buffer;
  /** `tree`: the value describes a table. `overflow`: the value says on which pages the real one is. */
  readonly kind: "value" | "overflow" | "tree";
  readonly value: Buffer;
  /** Of the real value. */
  readonly valueBytes: number;
}

/** Where a value lies that does not fit into its page. */
export interface Overflow {
  readonly page: number;
  readonly pages: number;
}

export const HEADER_BYTES = 24;
/** The part of a header page that says something. */
export const SNAPSHOT_BYTES = 168;
export const TREE_BYTES = 48;
/** Trees deeper than this are none: LMDB's own limit. */
export const MAX_DEPTH = 32;

/** Why the start of a file is none of a database; undefined when it is. */
export function headProblem(head: Buffer): string | undefined {
  if (head.length < SNAPSHOT_BYTES || (head.readUInt16LE(FLAGS_AT) & META) === 0) {
    return "it does not begin like a database";
  }
  if (head.readUInt32LE(MAGIC_AT) !== MAGIC) {
    return "it does not begin like a database";
  }
  if ((head.readUInt32LE(VERSION_AT) & 0xffff) !== DATA_VERSION) {
    return "its database is of another program or version";
  }
  return undefined;
}

/** Undefined when the page does not describe anything. */
export function readSnapshot(page: Buffer): Snapshot | undefined {
  if (headProblem(page) !== undefined) {
    return undefined;
  }
  const pageSize = page.readUInt32LE(TREES_AT);
  const transaction = readU64(page, TRANSACTION_AT);
  const lastPage = readU64(page, LAST_PAGE_AT);
  const isPower = pageSize >= 512 && pageSize <= 65_536 && (pageSize & (pageSize - 1)) === 0;
  if (!isPower || !Number.isSafeInteger(transaction) || lastPage < 1 || lastPage > MAX_PAGES) {
    return undefined;
  }
  const free = readTree(page, TREES_AT);
  const main = readTree(page, TREES_AT + TREE_BYTES);
  const mapBytes = readU64(page, MAP_BYTES_AT);
  if (free.flags !== INTEGER_KEYS || main.flags !== 0 || mapBytes < lastPage * pageSize || mapBytes > MAX_MAP_BYTES) {
    return undefined;
  }
  return { transaction, pageSize, lastPage, free, main };
}

export function readTree(from: Buffer, offset: number): Tree {
  const isEmpty = from.readUInt32LE(offset + 40) === NO_PAGE && from.readUInt32LE(offset + 44) === NO_PAGE;
  return {
    root: isEmpty ? undefined : readU64(from, offset + 40),
    flags: from.readUInt16LE(offset + 4),
    depth: from.readUInt16LE(offset + 6),
    entries: readU64(from, offset + 32),
  };
}

export type PageKind = "branch" | "leaf" | "overflow" | "other";

export function pageKind(page: Buffer): PageKind {
  return KINDS.get(page.readUInt16LE(FLAGS_AT)) ?? "other";
}

/** What a page says its own number is. */
export function pageNumber(page: Buffer): number {
  return readU64(page, 0);
}

/** How many pages an overflow page says it takes, with itself. */
export function overflowPages(page: Buffer): number {
  return page.readUInt32LE(LOWER_AT);
}

/** Number of nodes; undefined when the page's bounds make no sense. */
export function countNodes(page: Buffer): number | undefined {
  const lower = page.readUInt16LE(LOWER_AT);
  const upper = page.readUInt16LE(UPPER_AT);
  return lower % 2 === 0 && lower <= upper && upper <= page.length - HEADER_BYTES ? lower / 2 : undefined;
}

/** Undefined when the node does not lie within the page. */
export function readBranch(page: Buffer, index: number): Branch | undefined {
  const at = nodeAt(page, index);
  if (at === undefined) {
    return undefined;
  }
  const keyBytes = page.readUInt16LE(at + 6);
  if (at + NODE_BYTES + keyBytes > page.length) {
    return undefined;
  }
  const key = page.subarray(at + NODE_BYTES, at + NODE_BYTES + keyBytes);
  return { key, page: page.readUInt32LE(at) + page.readUInt16LE(at + 4) * 0x100000000 };
}

/** Undefined when the node does not lie within the page, or is of a kind that a store does not have. */
export function readLeaf(page: Buffer, index: number): Leaf | undefined {
  const at = nodeAt(page, index);
  if (at === undefined) {
    return undefined;
  }
  const valueBytes = page.readUInt32LE(at);
  const kind = LEAF_KINDS.get(page.readUInt16LE(at + 4));
  if (kind === undefined) {
    return undefined;
  }
  const keyEnd = at + NODE_BYTES + page.readUInt16LE(at + 6);
  const end = keyEnd + (kind === "overflow" ? OVERFLOW_BYTES : valueBytes);
  if (end > page.length || (kind === "tree" && valueBytes !== TREE_BYTES)) {
    return undefined;
  }
  return { key: page.subarray(at + NODE_BYTES, keyEnd), kind, value: page.subarray(keyEnd, end), valueBytes };
}

export function readOverflow({ value }: Leaf): Overflow {
  return { page: readU64(value, 0), pages: readU64(value, 16) };
}

export function readU64(from: Buffer, offset: number): number {
  return from.readUInt32LE(offset + 4) * 0x100000000 + from.readUInt32LE(offset);
}

function nodeAt(page: Buffer, index: number): number | undefined {
  const pointer = page.readUInt16LE(HEADER_BYTES + index * 2);
  const at = HEADER_BYTES + pointer;
  return pointer >= page.readUInt16LE(UPPER_AT) && at + NODE_BYTES <= page.length ? at : undefined;
}

const FLAGS_AT = 18;
const LOWER_AT = 20;
const UPPER_AT = 22;
const MAGIC_AT = 24;
const VERSION_AT = 28;
/** How much of the file is mapped into memory. */
const MAP_BYTES_AT = 40;
const TREES_AT = 48;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;

const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const META = 0x08;
const NODE_BYTES = 8;
const OVERFLOW_BYTES = 24;
/** What processors can address. */
const MAX_MAP_BYTES = 2 ** 47;
/** More than any file has. */
const MAX_PAGES = 2 ** 48;
/** In both halves of a page number. */
const NO_PAGE = 0xffff_ffff;
/** Integers as keys, which is how free pages are listed. */
const INTEGER_KEYS = 0x08;

const KINDS: ReadonlyMap<number, PageKind> = new Map([
  [0x01, "branch"],
  [0x02, "leaf"],
  [0x04, "overflow"],
]);

const LEAF_KINDS: ReadonlyMap<number, Leaf["kind"]> = new Map([
  [0, "value"],
  [0x01, "overflow"],
  [0x02, "tree"],
]);
