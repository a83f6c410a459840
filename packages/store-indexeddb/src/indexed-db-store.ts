import type { ClientStore, QueuedMessage, SavedClient } from "@tidewire/client";
import type { Message } from "@tidewire/session";
import { type IDBPDatabase, openDB } from "idb";
import { StoreError } from "./errors.ts";
import { limits } from "./limits.ts";
import { type Locks, takeLock } from "./lock.ts";
import { type OutgoingRecord, type Schema, storeNames, toRecord, toSaved } from "./records.ts";
import { Staging } from "./staging.ts";

export interface IndexedDbStoreOptions {
  /** Prefix of the database's name, which ends with the client id. Default `tidewire`. */
  readonly name?: string;
  /**
   * `relaxed` (default): what is committed survives a reload and the end of the browser. `strict`: also a loss of power,
   * at the cost of a disk flush for each turn.
   */
  readonly durability?: "relaxed" | "strict";
  /**
   * How long `open` waits for another tab to let go of the client id, then it rejects with `client-id-in-use`. Default
   * 3,000; with Infinity a second tab waits until it can take over.
   */
  readonly lockTimeoutMs?: number;
  /** Default `navigator.locks`, where there is one; without one nothing keeps two tabs apart. */
  readonly locks?: Locks;
}

/** A store in IndexedDB: QoS 1 and 2 messages survive a reload of the page. One for each client. */
export function indexedDbStore(options: IndexedDbStoreOptions = {}): ClientStore {
  return new IndexedDbStore(options);
}

class IndexedDbStore implements ClientStore {
  readonly #options: IndexedDbStoreOptions;
  /** Of messages in flight, which keep their place when they are released. */
  readonly #sequences = new Map<number, number>();
  #staging = new Staging();
  #committing: Promise<void> | undefined;
  #database: IDBPDatabase<Schema> | undefined;
  #unlock: (() => void) | undefined;

  constructor(options: IndexedDbStoreOptions) {
    this.#options = options;
  }

  async open(clientId: string, signal?: AbortSignal): Promise<SavedClient> {
    const name = `${this.#options.name ?? "tidewire"}:${clientId}`;
    const locks = this.#options.locks ?? (globalThis.navigator as { readonly locks?: Locks } | undefined)?.locks;
    const lockTimeoutMs = this.#options.lockTimeoutMs ?? limits.lockTimeoutMs;
    this.#unlock = locks && (await takeLock(locks, name, lockTimeoutMs, signal));
    try {
      return await this.#load(name);
    } catch (error) {
      this.#letGo();
      throw error;
    }
  }

  putOutgoing(packetId: number, sequence: number, message: Message): void {
    this.#sequences.set(packetId, sequence);
    this.#staging.put("outgoing", packetId, { sequence, message: toRecord(message) });
  }

  releaseOutgoing(packetId: number): void {
    this.#staging.put("outgoing", packetId, { sequence: this.#sequences.get(packetId) ?? 0, message: undefined });
  }

  deleteOutgoing(packetId: number): void {
    this.#sequences.delete(packetId);
    this.#staging.delete("outgoing", packetId);
  }

  putIncoming(packetId: number): void {
    this.#staging.put("incoming", packetId, true);
  }

  deleteIncoming(packetId: number): void {
    this.#staging.delete("incoming", packetId);
  }

  clear(): void {
    this.#sequences.clear();
    this.#staging.clear("outgoing");
    this.#staging.clear("incoming");
  }

  putQueued(sequence: number, message: QueuedMessage): void {
    this.#staging.put("queue", sequence, toRecord(message));
  }

  deleteQueued(sequence: number): void {
    this.#staging.delete("queue", sequence);
  }

  commit(): Promise<void> | undefined {
    // What was staged before may still be on its way to the disk.
    if (this.#staging.empty || this.#database === undefined) {
      return this.#committing;
    }
    const staged = this.#staging;
    this.#staging = new Staging();
    const committing: Promise<void> = this.#write(this.#database, staged)
      .catch((error: unknown) => {
        this.#staging = staged.followedBy(this.#staging);
        throw error;
      })
      .finally(() => {
        if (this.#committing === committing) {
          this.#committing = undefined;
        }
      });
    this.#committing = committing;
    return committing;
  }

  async close(): Promise<void> {
    try {
      await this.commit();
    } finally {
      this.#letGo();
    }
  }

  async #load(name: string): Promise<SavedClient> {
    if (globalThis.indexedDB === undefined) {
      throw new StoreError("unavailable", "There is no IndexedDB here.");
    }
    const database = await openDB<Schema>(name, 1, {
      upgrade: (fresh) => {
        for (const store of storeNames) {
          fresh.createObjectStore(store);
        }
      },
    });
    this.#database = database;
    const transaction = database.transaction(storeNames, "readonly");
    const [packetIds, outgoing, incoming, sequences, queue] = await Promise.all([
      transaction.objectStore("outgoing").getAllKeys(),
      transaction.objectStore("outgoing").getAll(),
      transaction.objectStore("incoming").getAllKeys(),
      transaction.objectStore("queue").getAllKeys(),
      transaction.objectStore("queue").getAll(),
    ]);
    const inFlight = packetIds.map((packetId, i): [number, OutgoingRecord] => [packetId, outgoing[i]!]);
    for (const [packetId, { sequence }] of inFlight) {
      this.#sequences.set(packetId, sequence);
    }
    return toSaved(
      inFlight,
      incoming,
      sequences.map((sequence, i) => [sequence, queue[i]!]),
    );
  }

  async #write(database: IDBPDatabase<Schema>, staged: Staging): Promise<void> {
    const durability = this.#options.durability ?? "relaxed";
    const transaction = database.transaction([...storeNames], "readwrite", { durability });
    staged.write(
      (name) => transaction.objectStore(name),
      () => {},
    );
    transaction.commit();
    await transaction.done;
  }

  #letGo(): void {
    this.#database?.close();
    this.#database = undefined;
    this.#unlock?.();
    this.#unlock = undefined;
  }
}
