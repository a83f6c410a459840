import { existsSync, mkdirSync, rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { LmdbStoreError } from "./failure.ts";
import { DATA_FILE } from "./file/index.ts";

/**
 * Makes a database in a directory that holds none yet: `fill` puts it into the directory that it is given. It appears
 * under its name when it is complete and on the disk, so that an interrupted one cannot be taken for it.
 */
export async function installDatabase(target: string, fill: (directory: string) => Promise<void>): Promise<void> {
  const installed = join(target, DATA_FILE);
  if (existsSync(installed)) {
    throw new LmdbStoreError("store-failed", `there is a store in ${target} already`);
  }
  const partial = join(target, "partial");
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await fill(partial);
  await force(join(partial, DATA_FILE));
  await rename(join(partial, DATA_FILE), installed);
  await force(target);
  rmSync(partial, { recursive: true });
}

/** Of a file, or of a directory's names. */
async function force(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
