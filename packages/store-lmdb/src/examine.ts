import { existsSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import type { Opening } from "./database.ts";
import { damaged, foreign, LmdbStoreError } from "./failure.ts";
import { DATA_FILE, headProblem, LOCK_FILE, PageFile, type Snapshot } from "./file/index.ts";
import { checkFormat, FORMAT_KEY, storeId } from "./format.ts";
import { headerChecksum, MARK_FILE, type Mark, markNew, readMark } from "./mark.ts";
import { checkOwner, OWNER_KEY } from "./owner.ts";
import { damageError, StoreFile } from "./store-file.ts";

/**
 * Looks through a store's files before the database gets to see them, since that ends the process over a damaged page
 * and begins anew where a file is missing. Every page that can be reached is looked at, which takes a third of the time
 * that loading takes. Throws an `LmdbStoreError` when the directory cannot be used; a directory that never held
 * anything is marked as being made.
 */
export function examine(directory: string): Opening {
  const mark = readMark(directory);
  if (isBlank(directory, mark)) {
    markNew(directory);
    return { transaction: undefined, previous: false };
  }
  return whileQuiet(directory, (file) => {
    const current = readMark(directory);
    const found = chooseSnapshot(file, current);
    const store = new StoreFile(file, found.snapshot, throwDamage);
    const meta = new Map<string, Buffer>();
    store.each("meta", throwDamage, (key, value) => meta.set(key.toString("latin1"), value()));
    checkOwner(directory, meta.get(OWNER_KEY.toString("latin1")));
    if (found.snapshot.main.entries > 0 && current?.state !== "new") {
      checkFormat(meta.get(FORMAT_KEY.toString("latin1")));
    }
    checkMarkIsOfStore(current, storeId(meta.get(FORMAT_KEY.toString("latin1"))));
    for (const table of store.tables.keys()) {
      if (table !== "meta") {
        store.each(table, throwDamage);
      }
    }
    store.walk.freePages({ onDamage: throwDamage });
    return { transaction: found.snapshot.transaction, previous: found.previous };
  });
}

/**
 * The same for whoever only reads, beside a broker that may be at work: what that one has open was looked through when
 * it was opened, and changes while it is read.
 */
export function examineForReading(directory: string): void {
  try {
    examine(directory);
  } catch (error) {
    if (!(error instanceof LmdbStoreError) || error.code !== "store-locked") {
      throw error;
    }
  }
}

/** The snapshot that the mark names, or else the newest. */
export function chooseSnapshot(file: PageFile, mark: Mark | undefined): { snapshot: Snapshot; previous: boolean } {
  const problem = headProblem(file.read(0, HEAD_BYTES));
  const [first, second] = file.snapshots();
  if (first === undefined && second === undefined) {
    throw foreign(`${DATA_FILE}: ${problem ?? "its head makes no sense"}`);
  }
  if (first === undefined || second === undefined) {
    throw damaged(`header page ${first === undefined ? 0 : 1} of ${DATA_FILE} makes no sense`);
  }
  const [newest, older] = first.transaction >= second.transaction ? [first, second] : [second, first];
  if (mark === undefined || (mark.state !== "open" && mark.state !== "closed")) {
    return { snapshot: newest, previous: false };
  }
  const isMarked = (one: Snapshot): boolean => {
    // Cut off, where the file ends within it.
    const page = file.page(one === first ? 0 : 1);
    return page !== undefined && one.transaction === mark.transaction && headerChecksum(page) === mark.checksum;
  };
  if (newest.transaction < mark.transaction) {
    throw damaged(
      `${DATA_FILE} ends with transaction ${newest.transaction}, and ${mark.transaction} was the last that was kept; ` +
        `if a backup was put in its place, remove the file "${MARK_FILE}" beside it`,
    );
  }
  if (isMarked(newest) || (mark.state === "closed" && newest.transaction > mark.transaction)) {
    return { snapshot: newest, previous: false };
  }
  if (mark.state === "open" && newest.transaction > mark.transaction && isMarked(older)) {
    return { snapshot: older, previous: true };
  }
  throw damaged(NOT_ONE);
}

/** Two stores with the same history look the same from outside. */
function checkMarkIsOfStore(mark: Mark | undefined, store: number): void {
  if ((mark?.state === "open" || mark?.state === "closed") && mark.store !== store) {
    throw damaged(NOT_ONE);
  }
}

/** Whether nothing was ever kept here. Throws when something was, and is gone. */
function isBlank(directory: string, mark: Mark | undefined): boolean {
  const path = join(directory, DATA_FILE);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isFile()) {
    throw foreign(`${DATA_FILE} is not a file`);
  }
  if (mark?.state === "new") {
    if (stat !== undefined && stat.size > 0 && !hasHead(path)) {
      // Cut off while it was made.
      truncateSync(path);
      return true;
    }
    return stat === undefined || stat.size === 0;
  }
  if (stat === undefined && mark === undefined && !existsSync(join(directory, LOCK_FILE))) {
    return true;
  }
  if (stat === undefined || stat.size === 0) {
    const beside = mark === undefined ? LOCK_FILE : MARK_FILE;
    throw damaged(
      stat === undefined
        ? `${DATA_FILE} is missing beside "${beside}"; if nothing was ever kept here, remove that file`
        : `${DATA_FILE} is empty; if nothing was ever kept here, remove it`,
    );
  }
  return false;
}

function hasHead(path: string): boolean {
  const file = new PageFile(path);
  try {
    return file.snapshots().every((snapshot) => snapshot !== undefined);
  } finally {
    file.close();
  }
}

/**
 * Another process may be at work with the database; what is read of it then may be of two moments. So what looks like
 * damage is looked at again when a transaction came between.
 */
function whileQuiet<T>(directory: string, look: (file: PageFile) => T): T {
  for (let attempt = 1; ; attempt += 1) {
    const file = new PageFile(join(directory, DATA_FILE));
    let newest = Number.NaN;
    try {
      newest = newestTransaction(file);
      return look(file);
    } catch (error) {
      if (!(error instanceof LmdbStoreError) || error.code !== "store-corrupt") {
        throw error;
      }
      const isQuiet = Object.is(newestTransaction(file), newest);
      if (isQuiet || attempt === ATTEMPTS) {
        throw isQuiet
          ? error
          : new LmdbStoreError("store-locked", `the store in ${directory} is in use by another process`);
      }
    } finally {
      file.close();
    }
  }
}

function newestTransaction(file: PageFile): number {
  return Math.max(...file.snapshots().map((snapshot) => snapshot?.transaction ?? Number.NaN));
}

const throwDamage = (damage: Parameters<typeof damageError>[0]): never => {
  throw damageError(damage);
};

const NOT_ONE = `${DATA_FILE} and "${MARK_FILE}" are not of one moment of one store`;
const HEAD_BYTES = 4096;
const ATTEMPTS = 20;
