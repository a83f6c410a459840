/** Every limit of the store, with its default and the reason for it. */
export interface LmdbStoreLimits {
  /**
   * Bytes of a publication (payload and topic) that is kept inside the one record that refers to it. A larger one is
   * kept beside it, so that moving it from a queue to the in-flight set does not copy it. Default 1,024: two such
   * records still fit on one page of the database.
   */
  readonly inlineBytes: number;
  /**
   * Free bytes on the disk below which no more messages are taken over, while acknowledgements and session changes
   * still find room. Default 32 MiB: several seconds of those at full speed.
   */
  readonly reserveBytes: number;
  /**
   * Records of deleted sessions that are removed in one commit. Default 2,000: a few milliseconds, so that the end of a
   * session with a million queued messages stops nobody else.
   */
  readonly purgePerCommit: number;
}

export const DEFAULT_LIMITS: LmdbStoreLimits = {
  inlineBytes: 1024,
  reserveBytes: 32 * 1024 * 1024,
  purgePerCommit: 2000,
};

/** With `fsync: "interval"`: how often written data is forced to the disk, and so the most a power loss can take. */
export const FSYNC_INTERVAL_MS = 1000;

/** How often the free space is looked at and a failed commit is tried again: a second is soon enough to recover. */
export const SPACE_CHECK_MS = 1000;

/** Between two transactions that remove what deleted sessions left, so that others get their turn. */
export const PURGE_PAUSE_MS = 20;

/**
 * How often the current time is written while nothing else is. After a crash, sessions that were connected count as
 * gone from the last such time, so this is how much too early that may be.
 */
export const HEARTBEAT_MS = 10_000;

/** How often slots of readers that died (a killed backup) are freed, since each keeps old pages from being reused. */
export const READER_CHECK_MS = 60_000;

/** Longest key of LMDB with 4 KiB pages is 1,978 bytes; the rest is for what stands before a text in a key. */
export const TEXT_KEY_BYTES = 1900;
