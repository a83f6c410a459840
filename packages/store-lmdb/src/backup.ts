import { existsSync, mkdirSync, rmSync } from "node:fs";
import { open as openFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { open } from "lmdb";
import { DATA_FILE } from "./database.ts";
import { classify, LmdbStoreError } from "./failure.ts";

export interface BackupOptions {
  /** The store's directory; a broker may be serving from it. */
  readonly directory: string;
  /** Directory to put the copy into; made if it is not there. It must not hold a store yet. */
  readonly target: string;
}

/**
 * Copies a store as it is at this moment, in compact form, while it is in use. The copy appears under its name when it
 * is complete, so that an interrupted backup cannot be taken for one. To restore, start a broker on the copy.
 * Rejects with an `LmdbStoreError`.
 */
export async function backupStore({ directory, target }: BackupOptions): Promise<void> {
  const source = join(directory, DATA_FILE);
  if (!existsSync(source)) {
    throw new LmdbStoreError("store-failed", `no store in ${directory}`);
  }
  const copy = join(target, DATA_FILE);
  if (existsSync(copy)) {
    throw new LmdbStoreError("store-failed", `there is a store in ${target} already`);
  }
  // The database puts its file into a directory under its own name.
  const partial = join(target, "partial");
  try {
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    const root = open({ path: directory, noSubdir: false, readOnly: true, overlappingSync: false });
    try {
      await root.backup(partial, true);
    } finally {
      await root.close();
    }
    await force(join(partial, DATA_FILE));
    await rename(join(partial, DATA_FILE), copy);
    await force(target);
    rmSync(partial, { recursive: true });
  } catch (error) {
    throw await classify(error, target);
  }
}

/** Of a file, or of a directory's names. */
async function force(path: string): Promise<void> {
  const handle = await openFile(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
