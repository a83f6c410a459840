import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Table } from "./database.ts";
import { damaged, LmdbStoreError } from "./failure.ts";
import { DATA_FILE } from "./file/index.ts";

/*
 * One process may serve from a store at a time. The database itself may be open in several (a backup reads it), so the
 * owner is a record in it: its process id and, where the system tells, when that process began, so that a process
 * that only got the same id later is not taken for it. It names its file as well: a backup carries the record of the
 * store that it was made from. The record is looked at and replaced in one write transaction, which the database runs
 * one at a time across processes; a killed owner needs no cleaning up.
 */

/** Directories open in this process, which the record cannot tell apart. */
const HELD = new Set<string>();

/** To be asked before the database is opened a second time in this process. */
export function checkNotHeld(directory: string): void {
  if (existsSync(directory) && HELD.has(realpathSync(directory))) {
    throw locked(directory, process.pid);
  }
}

/** The store as this process's own. */
export interface Ownership {
  /** Gives it back, in a transaction that is forced to the disk. */
  release(): void;
  /** Lets go of it without writing anything: the record stays, and is seen to be of a process that ended. */
  abandon(): void;
}

/** Takes the store for this process, or throws `store-locked`. */
export function takeOwnership(directory: string, meta: Table): Ownership {
  const path = realpathSync(directory);
  const self: Owner = { pid: process.pid, started: startOf(process.pid), file: fileId(path) };
  meta.transactionSync(() => {
    checkOwner(directory, meta.getBinary(OWNER_KEY));
    meta.put(OWNER_KEY, Buffer.from(JSON.stringify(self)));
  });
  HELD.add(path);
  const abandon = (): void => {
    HELD.delete(path);
  };
  return {
    abandon,
    release: () => {
      meta.removeSync(OWNER_KEY);
      abandon();
    },
  };
}

/** Throws `store-locked` when another process that runs owns the store; `record` is what is under `OWNER_KEY`. */
export function checkOwner(directory: string, record: Buffer | undefined): void {
  const owner = record === undefined ? undefined : parseOwner(record);
  const isOther = owner !== undefined && owner.pid !== process.pid && owner.file === fileId(directory);
  if (isOther && isRunning(owner)) {
    throw locked(directory, owner.pid);
  }
}

export const OWNER_KEY: Buffer = Buffer.from("owner");

interface Owner {
  readonly pid: number;
  /** In the system's own count; null where it cannot be told. */
  readonly started: string | null;
  /** Device and number of the database file. */
  readonly file: string;
}

/** Device and number of the database file. */
function fileId(directory: string): string {
  const { dev, ino } = statSync(join(directory, DATA_FILE));
  return `${dev}/${ino}`;
}

function parseOwner(record: Buffer): Owner {
  try {
    return JSON.parse(record.toString()) as Owner;
  } catch (error) {
    throw damaged("the owner's record cannot be read", error);
  }
}

function isRunning({ pid, started }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is there, although it may not be signalled.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") {
      return false;
    }
  }
  return started === null || started === startOf(pid);
}

/**
 * The boot and the clock tick in which a process began. Null where the system does not have `/proc`, and for a process
 * that ended and that its parent has not looked after yet.
 */
function startOf(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may contain anything; after it come the state and, as the 20th field, the start time.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? null : `${boot}/${fields[19]}`;
  } catch {
    return null;
  }
}

function locked(directory: string, pid: number): LmdbStoreError {
  return new LmdbStoreError("store-locked", `the store in ${directory} is in use by process ${pid}`);
}
