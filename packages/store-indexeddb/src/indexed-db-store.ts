import type { ClientStore, QueuedMessage, SavedClient } from "@tidewire/client";
import type { Message } from "@tidewire/session";
import type { IDBPDatabase } from "idb";
import { Contents } from "./contents.ts";
import { StoreError } from "./errors.ts";
import { limits } from "./limits.ts";
import { type Locks, takeLock } from "./lock.ts";
import { openDatabase } from "./open-database.ts";
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
  /**
   * When the browser closes the database, it is opened again, and written anew when it was thrown away. Where that cannot
   * be: `fail` (default), so that nothing is promised which is not stored, and the client closes with `store-failed` after
   * five times; `memory` goes on without a database. Both are told by `on("error")`.
   */
  readonly whenLost?: "fail" | "memory";
  /** Default `navigator.locks`, where there is one; without one nothing keeps two tabs apart. */
  readonly locks?: Locks;
}

/** A store in IndexedDB: QoS 1 and 2 messages survive a reload of the page. One for each client. */
export function indexedDbStore(options: IndexedDbStoreOptions = {}): ClientStore {
  return new IndexedDbStore(options);
}

class IndexedDbStore implements ClientStore {
  readonly #options: IndexedDbStoreOptions;
  readonly #contents = new Contents();
  #name = "";
  #opened = false;
  /** Without a database, from now on. */
  #inMemory = false;
  onError: ((error: unknown) => void) | undefined = undefined;
  #staging = new Staging();
  #committing: Promise<void> | undefined;
  #database: IDBPDatabase<Schema> | undefined;
  #unlock: (() => void) | undefined;

  constructor(options: IndexedDbStoreOptions) {
    this.#options = options;
  }

  async open(clientId: string, signal?: AbortSignal): Promise<SavedClient> {
    this.#name = `${this.#options.name ?? "tidewire"}:${clientId}`;
    const locks = this.#options.locks ?? (globalThis.navigator as { readonly locks?: Locks } | undefined)?.locks;
    const lockTimeoutMs = this.#options.lockTimeoutMs ?? limits.lockTimeoutMs;
    this.#unlock = locks && (await takeLock(locks, this.#name, lockTimeoutMs, signal));
    try {
      return await this.#load();
    } catch (error) {
      if (this.#goOnInMemory(error)) {
        return { inflight: { outgoing: [], incoming: [] }, queued: [] };
      }
      this.#letGo();
      throw error;
    }
  }

  putOutgoing(packetId: number, sequence: number, message: Message): void {
    this.#contents.outgoing.set(packetId, { sequence, message });
    this.#staging.put("outgoing", packetId, { sequence, message: toRecord(message) });
  }

  releaseOutgoing(packetId: number): void {
    // It keeps its place when it is released.
    const released = { sequence: this.#contents.outgoing.get(packetId)?.sequence ?? 0, message: undefined };
    this.#contents.outgoing.set(packetId, released);
    this.#staging.put("outgoing", packetId, released);
  }

  deleteOutgoing(packetId: number): void {
    this.#contents.outgoing.delete(packetId);
    this.#staging.delete("outgoing", packetId);
  }

  putIncoming(packetId: number): void {
    this.#contents.incoming.add(packetId);
    this.#staging.put("incoming", packetId, true);
  }

  deleteIncoming(packetId: number): void {
    this.#contents.incoming.delete(packetId);
    this.#staging.delete("incoming", packetId);
  }

  clear(): void {
    this.#contents.outgoing.clear();
    this.#contents.incoming.clear();
    this.#staging.clear("outgoing");
    this.#staging.clear("incoming");
  }

  putQueued(sequence: number, message: QueuedMessage): void {
    this.#contents.queue.set(sequence, message);
    this.#staging.put("queue", sequence, toRecord(message));
  }

  deleteQueued(sequence: number): void {
    this.#contents.queue.delete(sequence);
    this.#staging.delete("queue", sequence);
  }

  commit(): Promise<void> | undefined {
    // What was staged before may still be on its way to the disk.
    if (this.#staging.empty || !this.#opened) {
      return this.#committing;
    }
    const staged = this.#staging;
    this.#staging = new Staging();
    if (this.#inMemory) {
      return undefined;
    }
    const committing: Promise<void> = this.#write(staged)
      .catch((error: unknown) => {
        if (!this.#goOnInMemory(error)) {
          this.#staging = staged.followedBy(this.#staging);
          throw error;
        }
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

  async #load(): Promise<SavedClient> {
    const { database } = await openDatabase(this.#name, this.#onEnd);
    this.#database = database;
    this.#opened = true;
    const transaction = database.transaction(storeNames, "readonly");
    const [packetIds, outgoing, incoming, sequences, queue] = await Promise.all([
      transaction.objectStore("outgoing").getAllKeys(),
      transaction.objectStore("outgoing").getAll(),
      transaction.objectStore("incoming").getAllKeys(),
      transaction.objectStore("queue").getAllKeys(),
      transaction.objectStore("queue").getAll(),
    ]);
    const inFlight = packetIds.map((packetId, i): [number, OutgoingRecord] => [packetId, outgoing[i]!]);
    const saved = toSaved(
      inFlight,
      incoming,
      sequences.map((sequence, i) => [sequence, queue[i]!]),
    );
    for (const { packetId, sequence, message } of saved.inflight.outgoing) {
      this.#contents.outgoing.set(packetId, { sequence, message });
    }
    for (const packetId of incoming) {
      this.#contents.incoming.add(packetId);
    }
    for (const { sequence, message } of saved.queued) {
      this.#contents.queue.set(sequence, message);
    }
    return saved;
  }

  async #write(staged: Staging): Promise<void> {
    try {
      await this.#transact(await this.#connected(), staged);
    } catch (error) {
      // A full disk is no better in a new connection. Browsers have many names for one that they have closed.
      if ((error as Error).name === "QuotaExceededError") {
        throw error;
      }
      this.#database?.close();
      this.#database = undefined;
      await this.#transact(await this.#connected(), staged);
    }
  }

  async #connected(): Promise<IDBPDatabase<Schema>> {
    if (this.#database === undefined) {
      const { database, fresh } = await openDatabase(this.#name, this.#onEnd);
      if (fresh) {
        const all = new Staging();
        this.#contents.stage(all);
        await this.#transact(database, all);
      }
      this.#database = database;
    }
    return this.#database;
  }

  async #transact(database: IDBPDatabase<Schema>, staged: Staging): Promise<void> {
    const durability = this.#options.durability ?? "relaxed";
    const transaction = database.transaction([...storeNames], "readwrite", { durability });
    staged.write(
      (name) => transaction.objectStore(name),
      () => {},
    );
    transaction.commit();
    await transaction.done;
  }

  /** False when the caller did not ask for it. */
  #goOnInMemory(cause: unknown): boolean {
    if (this.#options.whenLost !== "memory" || (cause as StoreError).code === "client-id-in-use") {
      return false;
    }
    this.#inMemory = this.#opened = true;
    this.#staging = new Staging();
    const text = "IndexedDB does not work: the client goes on in memory, and what is not sent yet ends with the page.";
    this.onError?.(new StoreError("unavailable", text, { cause }));
    return true;
  }

  readonly #onEnd = (): void => {
    this.#database = undefined;
  };

  #letGo(): void {
    this.#database?.close();
    this.#database = undefined;
    this.#opened = false;
    this.#unlock?.();
    this.#unlock = undefined;
  }
}
