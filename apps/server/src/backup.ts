import { backupStore } from "@tidewire/store-lmdb";
import type { BackupOptions } from "./args.ts";
import { describeError, UsageError } from "./errors.ts";

/** `tidewire backup DIR`: copies a data directory, which a broker may be using. */
export async function backup({ from, to }: BackupOptions): Promise<void> {
  try {
    await backupStore({ directory: from, target: to });
  } catch (error) {
    const remedy = "name the broker's data directory with --store DIR, and a new directory for the copy";
    throw new UsageError(`cannot back up ${from} to ${to}: ${describeError(error)}`, remedy, { cause: error });
  }
  process.stdout.write(`copied ${from} to ${to}\n`);
}
