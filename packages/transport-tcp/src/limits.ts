/** Limits of the TCP transport; those that all transports for Node have are with them. */
export const limits = {
  /** From the call of `dial` to a usable connection, TLS included: beyond this a user has given up, and a retry is better. */
  connectTimeoutMs: 20_000,
} as const;
