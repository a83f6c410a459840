import { statfs } from "node:fs/promises";
import type { StoreFailure } from "@tidewire/broker";

/** What the store throws and rejects with. `code` is stable; `cause` is the database's or the system's own error. */
export class LmdbStoreError extends Error implements StoreFailure {
  override readonly name: string = "LmdbStoreError";
  readonly code: StoreFailure["code"];

  constructor(code: StoreFailure["code"], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Names an error of `lmdb`, of the file system, or of reading a record. */
export async function classify(error: unknown, directory: string): Promise<LmdbStoreError> {
  // LMDB reports a write that was cut short by a full disk as an input/output error.
  if (codeOf(error) === EIO && (await freeBytes(directory)) < NO_SPACE_BYTES) {
    return new LmdbStoreError("store-full", `${MESSAGES["store-full"]}: ${directory}`, error);
  }
  return nameError(error, directory);
}

/** Runs what reads of the store. Whatever it throws becomes an `LmdbStoreError`. */
export function reading<T>(directory: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw nameError(error, directory);
  }
}

/** The same for what is read one after the other. */
export function* readingEach<T>(directory: string, items: Iterable<T>): Generator<T> {
  try {
    yield* items;
  } catch (error) {
    throw nameError(error, directory);
  }
}

function nameError(error: unknown, directory: string): LmdbStoreError {
  if (error instanceof LmdbStoreError) {
    return error;
  }
  const code = codeOf(error);
  const named = code === undefined ? undefined : FAILURES.get(code);
  if (named !== undefined) {
    return new LmdbStoreError(named, `${MESSAGES[named]}: ${directory}`, error);
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new LmdbStoreError("store-failed", `the store failed: ${reason}`, error);
}

function codeOf(error: unknown): string | number | undefined {
  return error instanceof Error ? (error as Error & { code?: string | number }).code : undefined;
}

/** The reason not to take over messages while less than `reserveBytes` are free; undefined otherwise. */
export async function spaceFailure(directory: string, reserveBytes: number): Promise<LmdbStoreError | undefined> {
  const free = await freeBytes(directory);
  if (free >= reserveBytes) {
    return undefined;
  }
  const message = `the disk of ${directory} has ${inMiB(free)} MiB free, and ${inMiB(reserveBytes)} MiB are kept in reserve; make room on it`;
  return new LmdbStoreError("store-full", message);
}

function inMiB(bytes: number): string {
  return (bytes / (1024 * 1024)).toFixed(1).replace(/\.0$/, "");
}

/** What is free on the disk of `directory`; Infinity where that cannot be told. */
export async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** What is on the disk is not what was written there. */
export function damaged(what: string, cause?: unknown): LmdbStoreError {
  return new LmdbStoreError("store-corrupt", `the store is damaged: ${what}`, cause);
}

/** What is on the disk was not written by a store. */
export function foreign(what: string): LmdbStoreError {
  return new LmdbStoreError("store-corrupt", `not a Tidewire store: ${what}`);
}

const EIO = 5;
/** A commit writes some pages at once, so that a few may still be free when it fails. */
const NO_SPACE_BYTES = 8 * 1024 * 1024;

/** The numbers and names that `lmdb` and `node:fs` put into `code`. */
const CODES = {
  // ENOSPC, EDQUOT, MDB_MAP_FULL
  "store-full": [28, "ENOSPC", 122, "EDQUOT", -30792],
  // EPERM, EACCES, EROFS
  "store-read-only": [1, "EPERM", 13, "EACCES", 30, "EROFS"],
  // MDB_INVALID, MDB_VERSION_MISMATCH, MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_INCOMPATIBLE
  "store-corrupt": [-30793, -30794, -30796, -30797, -30784],
} as const;

const FAILURES: ReadonlyMap<string | number, keyof typeof CODES> = new Map(
  (Object.keys(CODES) as (keyof typeof CODES)[]).flatMap((name) => CODES[name].map((code) => [code, name] as const)),
);

const MESSAGES = {
  "store-full": "no space left for the store; make room on the disk",
  "store-read-only": "the store may not be written",
  "store-corrupt": "the store is damaged",
} as const;
