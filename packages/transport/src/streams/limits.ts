export const limits = {
  /** `send` returns false from here. */
  highWaterMark: 131_072,
  /** `onDrain` comes at this level. */
  lowWaterMark: 32_768,
  /** What `close` allows the other end of the streams. */
  closeTimeoutMs: 10_000,
} as const;
