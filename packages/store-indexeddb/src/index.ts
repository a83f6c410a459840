export { StoreError, type StoreErrorCode } from "./errors.ts";
export { type IndexedDbStoreOptions, indexedDbStore } from "./indexed-db-store.ts";
