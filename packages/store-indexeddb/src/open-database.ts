import { type IDBPDatabase, openDB } from "idb";
import { StoreError } from "./errors.ts";
import { limits } from "./limits.ts";
import { type Schema, storeNames } from "./records.ts";

export interface OpenedDatabase {
  readonly database: IDBPDatabase<Schema>;
  /** It did not exist before. */
  readonly fresh: boolean;
}

/** Opens the database; `onEnd` is called when the browser closes it, as it may at any time. */
export async function openDatabase(name: string, onEnd: () => void): Promise<OpenedDatabase> {
  if (globalThis.indexedDB === undefined) {
    throw new StoreError("unavailable", "There is no IndexedDB here.");
  }
  let fresh = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const opening = openDB<Schema>(name, 1, {
    upgrade: (made) => {
      fresh = true;
      for (const store of storeNames) {
        made.createObjectStore(store);
      }
    },
    // Somebody deletes it, such as the user in the settings of the browser.
    blocking: (_old, _new, event) => {
      (event.target as IDBDatabase).close();
      onEnd();
    },
    terminated: onEnd,
  });
  const tooLong = new Promise<never>((_, reject) => {
    const text = `IndexedDB did not open within ${limits.openTimeoutMs} ms.`;
    timer = setTimeout(() => reject(new StoreError("unavailable", text)), limits.openTimeoutMs);
  });
  try {
    return { database: await Promise.race([opening, tooLong]), fresh };
  } catch (error) {
    // It may still open, when nobody waits for it.
    opening.then(
      (late) => late.close(),
      () => {},
    );
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
