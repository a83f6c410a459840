import type { Table } from "./database.ts";

/*
 * Times in the database are of a clock that never goes back. When the system's clock stands before the last time that
 * was written, all times are shifted by the difference: what was to expire in an hour still does, and the time in
 * between counts as none. A jump ahead cannot be told from having been off that long, and counts as such.
 */

/** The last time that was written, by the store's own clock; undefined in a new store. */
export function lastTime(meta: Table): number | undefined {
  return meta.getBinary(CLOCK_KEY)?.readDoubleBE(0);
}

/** What to add to a time of the system's clock to get one of the store's. */
export function shiftFor(lastMs: number | undefined, nowMs: number): number {
  return lastMs === undefined ? 0 : Math.max(0, lastMs - nowMs);
}

/** Inside a transaction. */
export function putTime(meta: Table, storeMs: number): void {
  const record = Buffer.alloc(8);
  record.writeDoubleBE(storeMs);
  meta.put(CLOCK_KEY, record);
}

const CLOCK_KEY = Buffer.from("clock");
