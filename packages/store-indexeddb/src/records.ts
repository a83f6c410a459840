import type { QueuedMessage, SavedClient } from "@tidewire/client";
import type { Message } from "@tidewire/session";
import type { DBSchema } from "idb";

/** What is in the database; keys are packet ids, packet ids and sequences. */
export interface Schema extends DBSchema {
  outgoing: { key: number; value: OutgoingRecord };
  incoming: { key: number; value: true };
  queue: { key: number; value: MessageRecord };
}

export type StoreName = "outgoing" | "incoming" | "queue";
export const storeNames: readonly StoreName[] = ["outgoing", "incoming", "queue"];

export interface OutgoingRecord {
  readonly sequence: number;
  /** Undefined: PUBREC came. */
  readonly message: MessageRecord | undefined;
}

/** Plain data, for the structured clone. */
export interface MessageRecord {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Message["qos"];
  readonly retain: boolean;
  readonly properties: Message["properties"];
  /** Undefined when it does not expire. */
  readonly expiresAtMs: number | undefined;
}

export function toRecord(message: Message & { readonly expiresAtMs?: number }): MessageRecord {
  const { topic, payload, qos, retain, properties, expiresAtMs = Number.POSITIVE_INFINITY } = message;
  return {
    topic,
    // A clone of a view would take all of the buffer that it looks at; and the caller may go on to change it.
    payload: payload.slice(),
    qos,
    retain,
    properties,
    expiresAtMs: expiresAtMs === Number.POSITIVE_INFINITY ? undefined : expiresAtMs,
  };
}

/** Everything as the client takes it, in its order. */
export function toSaved(
  outgoing: readonly (readonly [packetId: number, OutgoingRecord])[],
  incoming: readonly number[],
  queue: readonly (readonly [sequence: number, MessageRecord])[],
): SavedClient {
  return {
    inflight: {
      outgoing: outgoing
        .map(([packetId, { sequence, message }]) => ({ packetId, sequence, message: message && toMessage(message) }))
        .sort((one, other) => one.sequence - other.sequence),
      incoming,
    },
    queued: queue.map(([sequence, record]) => ({ sequence, message: toMessage(record) })),
  };
}

function toMessage({ expiresAtMs, ...record }: MessageRecord): QueuedMessage {
  return { ...record, expiresAtMs: expiresAtMs ?? Number.POSITIVE_INFINITY };
}
