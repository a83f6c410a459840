export { backupStore } from "./backup.ts";
export { checkStore, type StoreReport } from "./check.ts";
export type { SystemTime } from "./clock.ts";
export { LmdbStoreError } from "./failure.ts";
export type { LmdbStoreLimits } from "./limits.ts";
export { type RepairOptions, type RepairReport, repairStore, type SavedRecords } from "./repair.ts";
export type { FsyncPolicy, LmdbStoreOptions } from "./store.ts";
export { lmdbStore } from "./store.ts";
