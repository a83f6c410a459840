/** Limits of the WebSocket transport, the platform's and Node's alike; those of the Node entry alone are in `node/`. */
export const limits: Limits = {
  /** From the call of `dial` to a usable connection: beyond this a user has given up, and a retry is better. */
  connectTimeoutMs: 20_000,
  /** What `close` allows the peer to take the last bytes and answer: seconds are normal on a bad mobile link. */
  closeTimeoutMs: 10_000,
  /** `send` returns false from here. */
  highWaterMark: 131_072,
  /** `onDrain` comes at this level. */
  lowWaterMark: 32_768,
  /**
   * One `send` becomes one message up to here, several beyond: receivers limit the size of a message (16 MiB, 1 MiB or
   * less), and MQTT does not care where messages begin and end.
   */
  sentMessageBytes: 1_048_576,
  /** Bytes kept while paused or not started: a browser goes on receiving whatever we do, so this ends in an error. */
  heldBytes: 16_777_216,
  /** How often `bufferedAmount` is looked at while above the high mark; the platform has no event for it. */
  drainPollMs: 10,
};

/** See `limits`. */
export interface Limits {
  readonly connectTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  readonly sentMessageBytes: number;
  readonly heldBytes: number;
  readonly drainPollMs: number;
}

/** What MQTT calls itself in the opening handshake [MQTT-6.0.0-3]. */
export const defaultProtocols: readonly string[] = ["mqtt"];
