import { existsSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { DATA_FILE, type Table } from "./database.ts";
import { corrupt, LmdbStoreError } from "./failure.ts";

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

/** Takes the store for this process, or throws `store-locked`. Returns what gives it back. */
export function takeOwnership(directory: string, meta: Table): () => void {
  const path = realpathSync(directory);
  const { dev, ino } = statSync(join(path, DATA_FILE));
  const self: Owner = { pid: process.pid, started: startOf(process.pid), file: `${dev}/${ino}` };
  meta.transactionSync(() => {
    const owner = readOwner(meta);
    if (owner !== undefined && owner.file === self.file && owner.pid !== self.pid && isRunning(owner)) {
      throw locked(directory, owner.pid);
    }
    meta.put(OWNER_KEY, Buffer.from(JSON.stringify(self)));
  });
  HELD.add(path);
  return () => {
    HELD.delete(path);
    try {
      meta.removeSync(OWNER_KEY);
    } catch {
      // On a full disk the record stays, and is seen to be of a process that ended.
    }
  };
}

interface Owner {
  readonly pid: number;
  /** In the system's own count; null where it cannot be told. */
  readonly started: string | null;
  /** Device and number of the database file. */
  readonly file: string;
}

function readOwner(meta: Table): Owner | undefined {
  const record = meta.getBinary(OWNER_KEY);
  if (record === undefined) {
    return undefined;
  }
  try {
    return JSON.parse(record.toString()) as Owner;
  } catch (error) {
    throw corrupt("the owner's record cannot be read", error);
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

const OWNER_KEY = Buffer.from("owner");
