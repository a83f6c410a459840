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
  /** From accept to the end of the handshake: a slow phone needs 2 or 3 s for TLS, an attacker all there is. */
  handshakeTimeoutMs: 10_000,
  /** Connections in their handshake at a time: they cost memory before anybody has said who they are. */
  pendingHandshakes: 2_000,
  /** Of one address: a site behind one address that reconnects needs some hundreds, an attacker all there is. */
  pendingHandshakesPerAddress: 500,
  /** A timer this late means that the process stood still (stopped, suspended), and not that its peers did. */
  stoppedMs: 1_000,
  /** Connections that wait to be accepted, where the system's own limit is not known. */
  backlog: 65_535,
  /**
   * A connection silent for so long is asked by TCP whether it is still there: MQTT clients may do without keep-alive of
   * their own. Below the 350 s after which common load balancers forget a connection.
   */
  keepAliveDelayMs: 300_000,
} as const;
