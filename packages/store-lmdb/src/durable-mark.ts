import { closeSync, constants, fdatasync, openSync, readFileSync, rmSync, write, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/*
 * Transactions are written without waiting for the disk, which is forced on another thread afterwards. Between the two,
 * a power loss may leave the header of the newest transaction on the disk and not its pages. So a file of its own names
 * the last transaction that is wholly on the disk, and is written, itself by force, before a commit is said to be
 * done. The database keeps the transaction before the newest intact: if the newest is beyond the mark, that one is
 * opened instead. Nobody was promised what is lost that way.
 */

const FILE = "durable";

/** The number of the last transaction known to be on the disk; undefined when none was marked or all are. */
export function readMark(directory: string): number | undefined {
  let record: Buffer;
  try {
    record = readFileSync(join(directory, FILE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
  if (record.length !== RECORD_BYTES) {
    return undefined;
  }
  const transaction = record.readDoubleBE(0);
  // A mark that was cut off while it was written was about to name the newest transaction.
  return record.readDoubleBE(8) === -transaction ? transaction : undefined;
}

/** Without a mark the newest transaction counts: after an orderly end, and where the disk is never waited for. */
export function removeMark(directory: string): void {
  rmSync(join(directory, FILE), { force: true });
}

/** Writes marks, one after the other. */
export class DurableMark {
  readonly #file: number;
  readonly #record: Buffer = Buffer.alloc(RECORD_BYTES);

  constructor(directory: string, transaction: number) {
    this.#file = openSync(join(directory, FILE), constants.O_RDWR | constants.O_CREAT | WRITES_WAIT, 0o666);
    writeSync(this.#file, this.#fill(transaction), 0, RECORD_BYTES, 0);
  }

  /** Resolves when the mark is on the disk. */
  async set(transaction: number): Promise<void> {
    await writeAt(this.#file, this.#fill(transaction), 0, RECORD_BYTES, 0);
    if (WRITES_WAIT === 0) {
      await force(this.#file);
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  #fill(transaction: number): Buffer {
    this.#record.writeDoubleBE(transaction, 0);
    this.#record.writeDoubleBE(-transaction, 8);
    return this.#record;
  }
}

const RECORD_BYTES = 16;
/** Lets a write return when it is on the disk, where the system can (not on Windows). */
const WRITES_WAIT = constants.O_DSYNC ?? 0;
const writeAt = promisify(write);
const force = promisify(fdatasync);
