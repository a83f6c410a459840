export { backupStore } from "./backup.ts";
export { LmdbStoreError } from "./failure.ts";
export type { LmdbStoreLimits } from "./limits.ts";
export type { FsyncPolicy, LmdbStoreOptions } from "./store.ts";
export { lmdbStore } from "./store.ts";
