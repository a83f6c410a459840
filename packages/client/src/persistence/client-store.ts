import type { InflightStore, Message, SavedInflight } from "@tidewire/session";

/**
 * Where a client keeps what it has not finished, so that it survives the page or the process: messages in flight, ids
 * of received QoS 2 messages, and its queue. Writes stage synchronously and in order; `commit` makes everything staged
 * durable together, before the bytes that depend on it leave. `clear` forgets what is in flight and keeps the queue.
 */
export interface ClientStore extends InflightStore {
  /**
   * Called once, before the first attempt to connect: claims the client id and loads. Rejects with an error whose `code`
   * is `client-id-in-use` when somebody else holds it. Nothing is staged before it has resolved.
   */
  open(clientId: string, signal?: AbortSignal): Promise<SavedClient>;
  /** `sequence` rises with each call: the order of the queue. */
  putQueued(sequence: number, message: QueuedMessage): void;
  deleteQueued(sequence: number): void;
  /** Undefined when nothing that was staged is still on its way to being durable. After a failure it stays staged. */
  commit(): Promise<void> | undefined;
  /** Set by the client: for what the store has to tell and no promise can, such as that it goes on in memory alone. */
  onError?: ((error: unknown) => void) | undefined;
  /** Commits what is staged and lets go of the client id. */
  close(): Promise<void>;
}

/** A message in the queue. */
export interface QueuedMessage extends Message {
  /** Wall-clock milliseconds since 1970 at which its Message Expiry Interval ends; Infinity when it has none. */
  readonly expiresAtMs: number;
}

/** What a store gives back when it is opened. */
export interface SavedClient {
  readonly inflight: SavedInflight;
  /** In ascending `sequence`. */
  readonly queued: readonly { readonly sequence: number; readonly message: QueuedMessage }[];
}
