import { type BrokerStore, memoryStore } from "@tidewire/broker";
import { lmdbStore } from "@tidewire/store-lmdb";
import type { StoreChoice } from "./args.ts";
import { describeError, errorCode, UsageError } from "./errors.ts";

/** The store that `--store` and `--fsync` name; not opened yet. */
export function createStore(choice: StoreChoice): BrokerStore {
  return choice.kind === "memory" ? memoryStore() : lmdbStore({ directory: choice.directory, fsync: choice.fsync });
}

/** The error for a person when a data directory could not be used; anything else comes back as it is. */
export function storeFailure(directory: string, error: unknown): unknown {
  const remedy = REMEDIES.get(errorCode(error) ?? "")?.replaceAll("DATA", directory);
  if (remedy === undefined) {
    return error;
  }
  return new UsageError(`cannot use the data in ${directory}: ${describeError(error)}`, remedy, { cause: error });
}

/** DATA stands for the directory. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["store-full", "make room on the disk, or choose another directory with --store DIR"],
  ["store-read-only", "make the directory writable, or choose another with --store DIR"],
  [
    "store-corrupt",
    'restore a backup, or save what can be read with "tidewire repair DATA TO"; "tidewire check-store DATA" says more',
  ],
  ["store-locked", "stop the broker that uses it, or choose another directory with --store DIR"],
  ["store-version", "update tidewire, or choose another directory with --store DIR"],
  ["store-failed", "choose another directory with --store DIR"],
]);
