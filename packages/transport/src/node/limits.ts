/** Defaults that the transports for Node share. */
export const limits = {
  /** `send` returns false from here: enough to keep a fast link busy for a turn, little enough for 10,000 slow peers. */
  highWaterMark: 131_072,
  /** `onDrain` comes at this level: the sender is back before the operating system runs dry. */
  lowWaterMark: 32_768,
  /** The least high mark: below it the head of a single frame would count as a full buffer. */
  leastHighWaterMark: 256,
  /** What `close` allows the peer to take the last bytes: seconds are normal on a bad mobile link, more is a dead one. */
  closeTimeoutMs: 10_000,
  /** Chunks are joined into one buffer up to here: copying this much costs less than one more entry in a `writev`. */
  joinedWriteBytes: 4_096,
} as const;
