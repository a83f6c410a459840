import type { IDBPObjectStore } from "idb";
import { type Schema, type StoreName, storeNames } from "./records.ts";

/** Writes that wait for the next transaction: for each key the latest one, `undefined` being a deletion. */
export class Staging {
  readonly #writes: { readonly [Name in StoreName]: Map<number, Schema[Name]["value"] | undefined> } = {
    outgoing: new Map(),
    incoming: new Map(),
    queue: new Map(),
  };
  readonly #cleared = new Set<StoreName>();

  get empty(): boolean {
    return this.#cleared.size === 0 && storeNames.every((name) => this.#writes[name].size === 0);
  }

  put<Name extends StoreName>(name: Name, key: number, value: Schema[Name]["value"]): void {
    this.#writes[name].set(key, value);
  }

  delete(name: StoreName, key: number): void {
    this.#writes[name].set(key, undefined);
  }

  clear(name: StoreName): void {
    this.#writes[name].clear();
    this.#cleared.add(name);
  }

  /** Puts everything into a transaction. */
  write(
    objectStore: (name: StoreName) => IDBPObjectStore<Schema, StoreName[], StoreName, "readwrite">,
    ignore: () => void,
  ): void {
    for (const name of storeNames) {
      const store = objectStore(name);
      // A request that fails makes its transaction fail, which is where it is noticed.
      if (this.#cleared.has(name)) {
        store.clear().catch(ignore);
      }
      for (const [key, value] of this.#writes[name]) {
        const request = value === undefined ? store.delete(key) : store.put(value, key);
        request.catch(ignore);
      }
    }
  }

  /** This happened before `later`: after a transaction failed, both are to be written. */
  followedBy(later: Staging): Staging {
    for (const name of storeNames) {
      if (later.#cleared.has(name)) {
        this.clear(name);
      }
      for (const [key, value] of later.#writes[name]) {
        if (value === undefined) {
          this.delete(name, key);
        } else {
          this.put(name, key, value);
        }
      }
    }
    return this;
  }
}
