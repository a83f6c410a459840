/** Bounds of a lite client; the reasons are those of the whole client's limits. */
export const limits = {
  /** Announced in CONNECT (MQTT 5); the first is enforced as well. */
  maximumPacketSize: 16 * 1024 * 1024,
  receiveMaximum: 1_024,
  topicAliasMaximum: 0,
  /** From dialling to CONNACK. */
  connackTimeoutMs: 30_000,
  /** Messages that wait to be sent. */
  queued: 1_000,
  /** Bytes on their way out above which messages wait. */
  pendingBytes: 131_072,
  /** How often these are looked at then: a WebSocket has no event for "sent". */
  drainPollMs: 10,
} as const;
