import { CACHE_SLOT_SHIFT, CACHE_SLOTS, HASH_MULTIPLIER, MAXIMUM_CACHED_LENGTH } from "./limits.ts";

/**
 * Strings by their bytes, for text that comes again and again: topic names, content types, property names. Finding one
 * costs a third of making it, and whoever looks it up in a map later finds its hash computed already.
 * There is one slot a hash and nothing to evict: a slot takes the text that was the last two to miss in it.
 * Benchmark: `decode PUBLISH`.
 */
export class TextCache {
  readonly #keys: Int32Array[] = new Array(CACHE_SLOTS);
  readonly #texts: string[] = new Array(CACHE_SLOTS);
  readonly #missed = new Int32Array(CACHE_SLOTS);
  /** Key of the text last asked for, its length and then its words, and the hash of it; none when not worth it. */
  readonly #key = new Int32Array(2 + MAXIMUM_CACHED_LENGTH / 4);
  #keyLength = 0;
  #hash = 0;

  get(bytes: Uint8Array, start: number, end: number): string | undefined {
    const key = this.#key;
    let hash = end - start;
    this.#keyLength = 0;
    if (hash > MAXIMUM_CACHED_LENGTH || hash < 4) return undefined;
    let k = 0;
    key[k++] = hash;
    // Four bytes at a time; the first ones are read twice when the length is not a multiple of four.
    for (let at = end - 4; at > start - 4; at -= 4) {
      const i = Math.max(at, start);
      const word =
        (bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24);
      key[k++] = word;
      hash = Math.imul(hash ^ word, HASH_MULTIPLIER);
    }
    this.#keyLength = k;
    this.#hash = hash;
    const slot = hash >>> CACHE_SLOT_SHIFT;
    const known = this.#keys[slot];
    if (known === undefined) return undefined;
    while (k-- > 0) if (known[k] !== key[k]) return undefined;
    return this.#texts[slot];
  }

  /** Remembers the text that the last `get` did not find, if it was the last one missing there before, too. */
  offer(text: string): void {
    if (this.#keyLength === 0) return;
    const slot = this.#hash >>> CACHE_SLOT_SHIFT;
    if (this.#missed[slot] === this.#hash) {
      this.#keys[slot] = this.#key.slice(0, this.#keyLength);
      this.#texts[slot] = text;
    }
    this.#missed[slot] = this.#hash;
  }
}
