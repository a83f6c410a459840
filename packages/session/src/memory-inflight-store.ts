import type { InflightStore, SavedInflight } from "./inflight-store.ts";
import type { Message } from "./message.ts";

/** An `InflightStore` whose content can be read back. */
export interface MemoryInflightStore extends InflightStore {
  /** What `createStoredInflight` takes to go on from here. */
  saved(): SavedInflight;
}

/** Keeps in-flight state for as long as the process lives: for tests, and as the model of what a store does. */
export function memoryInflightStore(): MemoryInflightStore {
  const outgoing = new Map<number, { packetId: number; sequence: number; message: Message | undefined }>();
  const incoming = new Set<number>();
  return {
    putOutgoing(packetId, sequence, message) {
      outgoing.set(packetId, { packetId, sequence, message });
    },
    releaseOutgoing(packetId) {
      const entry = outgoing.get(packetId);
      if (entry !== undefined) {
        entry.message = undefined;
      }
    },
    deleteOutgoing(packetId) {
      outgoing.delete(packetId);
    },
    putIncoming(packetId) {
      incoming.add(packetId);
    },
    deleteIncoming(packetId) {
      incoming.delete(packetId);
    },
    clear() {
      outgoing.clear();
      incoming.clear();
    },
    commit() {
      return undefined;
    },
    saved() {
      const entries = [...outgoing.values()].map((entry) => ({ ...entry }));
      return { outgoing: entries.sort((a, b) => a.sequence - b.sequence), incoming: [...incoming] };
    },
  };
}
