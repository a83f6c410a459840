/**
 * scrypt's N as a power of two, r and p: 32 MiB and some 80 ms for one guess. Stronger ones would keep a fleet waiting
 * that comes back all at once after a restart.
 */
export const HASH_COST: { readonly ln: number; readonly r: number; readonly p: number } = { ln: 15, r: 8, p: 1 };

/** What a hash from elsewhere may take while it is checked; with `HASHES_AT_ONCE` this is all there will be. */
export const HASH_MEMORY: number = 128 * 1024 * 1024;

/** Of the four threads that Node has for such work; the others are left to files and names. */
export const HASHES_AT_ONCE = 2;

/** The last of them waits for some 20 seconds: later than that clients have given up. */
export const HASHES_WAITING = 500;

/** Longest user name and password in bytes, as MQTT has it. */
export const MAXIMUM_FIELD_LENGTH = 65_535;
