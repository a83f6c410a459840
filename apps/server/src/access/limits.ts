/**
 * scrypt's N as a power of two, r and p: 32 MiB and some 80 ms for one guess. Stronger ones would keep a fleet waiting
 * that comes back all at once after a restart.
 */
export const HASH_COST: { readonly ln: number; readonly r: number; readonly p: number } = { ln: 15, r: 8, p: 1 };

/** What a hash from elsewhere may take while it is checked; with `hashesAtOnce` this is all there will be. */
export const HASH_MEMORY: number = 128 * 1024 * 1024;

/** N * r * p of a hash from elsewhere: sixteen times `HASH_COST`, more than a second for each guess. */
export const HASH_WORK: number = 2 ** 22;

/**
 * Threads that hash. Node has four for such work unless `UV_THREADPOOL_SIZE` says otherwise; two are left to files and
 * names, so that the disk never waits for passwords.
 */
export function hashesAtOnce(poolSize: string | undefined = process.env.UV_THREADPOOL_SIZE): number {
  const size = Number(poolSize ?? 4);
  return Math.max(1, Math.min(2, (Number.isInteger(size) && size > 0 ? size : 4) - 2));
}

/** The last of them waits for some 20 seconds: later than that clients have given up. */
export const HASHES_WAITING = 500;

/** From one address as many may wait in the order they came: they take about a second. */
export const CALM_CHECKS = 25;

/** Longest user name and password in bytes, as MQTT has it. */
export const MAXIMUM_FIELD_LENGTH = 65_535;
