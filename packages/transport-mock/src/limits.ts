/** How much the mock network holds and does before it says so. */
export const limits = {
  /** `send` returns false from here: the same as the real transports, so that tests meet back-pressure at the same sizes. */
  highWaterMark: 131_072,
  /** `onDrain` comes at this level: a quarter of the high mark keeps the pipe busy while the sender wakes up. */
  lowWaterMark: 32_768,
  /** Virtual milliseconds that `close` waits for the other side, as long as the real transports wait. */
  closeTimeoutMs: 10_000,
  /** What an accepted connection holds of an unfinished message until it is allowed more: as the real listeners. */
  firstInputBytes: 65_536,
  /** Events one `run` may execute: more is two ends that answer each other for ever, and a hung test says less. */
  eventsPerRun: 1_000_000,
  /** Transcript entries kept: a longer run is a load test, which wants counters. The oldest go first, in blocks. */
  transcriptEntries: 100_000,
  /** Rounds of promise jobs that `settle` lets pass without any event before it calls the network quiet. */
  quietRounds: 16,
} as const;
