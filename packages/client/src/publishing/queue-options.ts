/** Bounds of the queue of messages that cannot be sent yet: no connection, Receive Maximum reached, socket full. */
export interface QueueOptions {
  /** Default 65,535. */
  readonly maxMessages?: number;
  /** Topics and payloads. Default 16 MiB. */
  readonly maxBytes?: number;
  readonly policy?: QueuePolicy;
}

/**
 * When the queue is full: `reject` the new message with `queue-full` (default), `drop-oldest` or `drop-newest` (the
 * message that gives way resolves with `dropped: true`). `qos-only`: QoS 0 messages are dropped instead of queued, and
 * a queue full of QoS 1 and 2 rejects.
 */
export type QueuePolicy = "reject" | "drop-oldest" | "drop-newest" | "qos-only";
