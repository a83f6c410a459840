/** Every bound of this package, with its reason. */
export const limits = {
  /** A page that is reloaded asks before the lock of the page it replaces is free: that takes tens of milliseconds. */
  lockTimeoutMs: 3_000,
  /** Opening takes milliseconds; a browser whose IndexedDB hangs, as has been seen on iOS, takes for ever. */
  openTimeoutMs: 10_000,
} as const;
