/** Limits of the TCP transport; the water marks and the time for closing are with the other Node transports. */
export const limits = {
  /** From the call of `dial` to a usable connection, TLS included: beyond this a user has given up, and a retry is better. */
  connectTimeoutMs: 20_000,
  /** From accept to the end of PROXY header and TLS handshake: a slow phone needs 2 or 3 s, an attacker all there is. */
  handshakeTimeoutMs: 10_000,
  /** Connections in their handshake at a time: they cost memory before anybody has said who they are. */
  pendingHandshakes: 2_000,
  /** Connections waiting in the operating system to be accepted: a reconnecting fleet comes all at once. */
  backlog: 1_024,
} as const;
