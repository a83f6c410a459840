import { InflightState, type Outgoing, RELEASED } from "./inflight.ts";
import type { Inflight, InflightStore, SavedInflight } from "./inflight-store.ts";
import type { Message } from "./message.ts";

/** As `createInflight`, but in the store as well. `saved` is what that held from before. */
export function createStoredInflight<M extends Message = Message>(
  store: InflightStore<M>,
  saved?: SavedInflight<M>,
): Inflight<M> {
  return new InflightState(new StoredOutgoing(store, saved), new StoredIncoming(store, saved));
}

/** Tells the store of every change; when all is cleared, of what comes in as well. */
class StoredOutgoing<M extends Message> extends Map<number, Outgoing<M>> {
  readonly #store: InflightStore<M>;
  #sequence = 0;

  constructor(store: InflightStore<M>, saved: SavedInflight<M> | undefined) {
    super();
    this.#store = store;
    for (const { packetId, sequence, message } of saved?.outgoing ?? []) {
      super.set(packetId, message ?? RELEASED);
      this.#sequence = sequence + 1;
    }
  }

  override set(packetId: number, message: Outgoing<M>): this {
    if (typeof message === "object") {
      this.#store.putOutgoing(packetId, this.#sequence, message);
      this.#sequence += 1;
    } else {
      this.#store.releaseOutgoing(packetId);
    }
    return super.set(packetId, message);
  }

  override delete(packetId: number): boolean {
    this.#store.deleteOutgoing(packetId);
    return super.delete(packetId);
  }

  override clear(): void {
    this.#store.clear();
    super.clear();
  }
}

class StoredIncoming extends Set<number> {
  readonly #store: IncomingStore;

  constructor(store: IncomingStore, saved: Pick<SavedInflight, "incoming"> | undefined) {
    super();
    this.#store = store;
    for (const packetId of saved?.incoming ?? []) {
      super.add(packetId);
    }
  }

  override add(packetId: number): this {
    this.#store.putIncoming(packetId);
    return super.add(packetId);
  }

  override delete(packetId: number): boolean {
    const known = super.delete(packetId);
    if (known) {
      this.#store.deleteIncoming(packetId);
    }
    return known;
  }
}

type IncomingStore = Pick<InflightStore, "putIncoming" | "deleteIncoming">;
