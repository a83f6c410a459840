import { existsSync } from "node:fs";
import { join } from "node:path";
import { open } from "lmdb";
import { examineForReading } from "./examine.ts";
import { classify, LmdbStoreError } from "./failure.ts";
import { DATA_FILE } from "./file/index.ts";
import { installDatabase } from "./install.ts";

export interface BackupOptions {
  /** The store's directory; a broker may be serving from it. */
  readonly directory: string;
  /** Directory to put the copy into; made if it is not there. It must not hold a store yet. */
  readonly target: string;
}

/**
 * Copies a store as it is at this moment, in compact form, while it is in use. The copy appears under its name when it
 * is complete, so that an interrupted backup cannot be taken for one. To restore, start a broker on the copy.
 * Rejects with an `LmdbStoreError`; of a store that is damaged there is no backup.
 */
export async function backupStore({ directory, target }: BackupOptions): Promise<void> {
  if (!existsSync(join(directory, DATA_FILE))) {
    throw new LmdbStoreError("store-failed", `no store in ${directory}`);
  }
  try {
    examineForReading(directory);
    await installDatabase(target, async (partial) => {
      const root = open({ path: directory, noSubdir: false, readOnly: true, overlappingSync: false });
      try {
        await root.backup(partial, true);
      } finally {
        await root.close();
      }
    });
  } catch (error) {
    throw await classify(error, target);
  }
}
