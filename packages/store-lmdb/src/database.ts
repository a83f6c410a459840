import { type Database, open, type RootDatabase } from "lmdb";
import { LmdbStoreError } from "./failure.ts";
import { checkFormat, FORMAT_KEY, formatRecord } from "./format.ts";

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

/** How a store's database is to be opened. */
export interface Opening {
  /** The transaction to go on from; undefined: the database is to be made. */
  readonly transaction: number | undefined;
  /** It is the one before the newest. */
  readonly previous: boolean;
}

/** Opens or creates the database, after `examine` found that this can be done. */
export function openTables(directory: string, opening: Opening): Tables {
  const root = openRoot(directory, opening);
  try {
    const meta = openTable(root, "meta");
    if (meta.doesExist(FORMAT_KEY)) {
      checkFormat(meta.getBinary(FORMAT_KEY));
    } else {
      meta.putSync(FORMAT_KEY, formatRecord());
    }
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
    void closeQuietly(root);
    throw error;
  }
}

export function pageSize(root: Root): number {
  return (root.getStats() as { pageSize: number }).pageSize;
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

/** Everything that counts is done by then: a failure changes nothing for anyone. */
export async function closeQuietly(root: Root): Promise<void> {
  try {
    await root.close();
  } catch {}
}

/** Forces what is written to the disk, on another thread. */
export function force(root: Root): Promise<void> {
  return new Promise((resolve, reject) => root.sync((error) => (error === undefined ? resolve() : reject(error))));
}

function openRoot(directory: string, { transaction, previous }: Opening): Root {
  const root = open<Buffer, Uint8Array>({ path: directory, ...(previous ? PREVIOUS : OPTIONS) }) as Root;
  if (transaction === undefined || lastTransaction(root) === transaction) {
    return root;
  }
  // Somebody is at work there, and was faster than our reading; only who is alone with the database can go back.
  void closeQuietly(root);
  throw new LmdbStoreError("store-locked", `the store in ${directory} is in use by another process`);
}

function openTable(root: Root, name: string): Table {
  return root.openDB<Buffer, Uint8Array>(name, { encoding: "binary", keyEncoding: "binary" });
}

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
