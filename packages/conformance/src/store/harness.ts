import { check } from "../failure.ts";
import type { StoreLoaded, StoreLoadedSession, StoreUnderTest } from "./contract.ts";

/**
 * What a store can show that others cannot:
 * - `crash`: the harness can end the process of a store, as far as the store is concerned
 * - `full-disk`: the harness can take the space away and give it back
 */
export type StoreCapability = "crash" | "full-disk";

/** What a case works with: a place to keep things, made afresh for each, with no store open on it. */
export interface StoreHarness {
  /** A store on what the last one left here; at most one is open at a time. The case opens it. */
  create(): StoreUnderTest;
  /** Ends the open store without a word to it: whatever it had not written by now is lost. */
  crash(): Promise<void>;
  /** From now on nothing more can be written. */
  fillDisk(): Promise<void>;
  freeDisk(): Promise<void>;
}

/** A store and what it had when it was opened. */
export interface OpenedStore {
  readonly store: StoreUnderTest;
  readonly sessions: readonly StoreLoadedSession[];
  readonly retained: readonly { readonly topic: string; readonly bytes: number; readonly expiresAtMs: number }[];
}

export async function open(harness: StoreHarness): Promise<OpenedStore> {
  const store = harness.create();
  const loaded: StoreLoaded = await store.open();
  return { store, sessions: [...loaded.sessions], retained: [...loaded.retained] };
}

/** Ends the store in order and opens the next one. */
export async function reopen(harness: StoreHarness, store: StoreUnderTest): Promise<OpenedStore> {
  await store.close();
  return open(harness);
}

/** Kills the store and opens the next one. */
export async function recover(harness: StoreHarness): Promise<OpenedStore> {
  await harness.crash();
  return open(harness);
}

/** Fails the case unless the promise rejects with this code. */
export async function rejectsWith(promise: Promise<unknown> | undefined, code: string): Promise<void> {
  let error: unknown;
  try {
    await promise;
  } catch (caught) {
    error = caught;
  }
  check(error instanceof Error, `rejects with ${code}`);
  const seen = (error as Error & { code?: unknown }).code;
  check(seen === code, `rejects with ${code}, not with ${String(seen)}`);
}
