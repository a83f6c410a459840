export type StoreErrorCode =
  /** Another tab or worker holds the lock of this client id. */
  | "client-id-in-use"
  /** The platform has no IndexedDB, or does not let this page use it. */
  | "unavailable"
  /** Used before `open` or after `close`. */
  | "not-open"
  /** The caller's signal fired. */
  | "aborted";

/** The error of this package; what IndexedDB itself throws, such as `QuotaExceededError`, comes as it is. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
