import { CACHE_SLOT_SHIFT, CACHE_SLOTS, HASH_MULTIPLIER, MAXIMUM_CACHED_LENGTH } from "./limits.ts";
import { fastText } from "./platform.ts";

/** Texts by their bytes. */
export interface TextCache {
  /** The text of these bytes, if it is known; a topic name is not found as another text, nor the other way round. */
  find(bytes: Uint8Array, start: number, end: number, isTopicName: boolean): string | undefined;
  /** A text that is not known yet; throws on ill-formed UTF-8. */
  make(bytes: Uint8Array, start: number, end: number): string;
  /** Takes the valid text that was not found just now. */
  offer(text: string): void;
}

/**
 * Strings by their bytes, for text that comes again and again, as likely on another connection: topic names, content
 * types, property names. Finding one costs a third of making it, and whoever looks it up in a map later finds its hash
 * computed already. There is one slot a hash and nothing to evict: a slot takes the text that was the last two to miss
 * in it. Benchmark: `decode PUBLISH`.
 */
export const textCache: TextCache = { find, make: fastText, offer };

const keys: Int32Array[] = /* @__PURE__ */ new Array(CACHE_SLOTS);
const texts: string[] = /* @__PURE__ */ new Array(CACHE_SLOTS);
const missed = /* @__PURE__ */ new Int32Array(CACHE_SLOTS);

/** Key of the text last asked for, its kind and length and then its words, and the hash of it; none when not worth it. */
const key = /* @__PURE__ */ new Int32Array(2 + MAXIMUM_CACHED_LENGTH / 4);
let keyLength = 0;
let hash = 0;

/** The text of these bytes, if it is known; a topic name is not found as another text, nor the other way round. */
function find(bytes: Uint8Array, start: number, end: number, isTopicName: boolean): string | undefined {
  const length = end - start;
  keyLength = 0;
  if (length > MAXIMUM_CACHED_LENGTH || length < 4) {
    return undefined;
  }
  let k = 1;
  let mixed = isTopicName ? ~length : length;
  key[0] = mixed;
  // Four bytes at a time; the first ones are read twice when the length is not a multiple of four.
  for (let at = end - 4; at > start - 4; at -= 4) {
    const i = Math.max(at, start);
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    key[k] = word;
    k += 1;
    mixed = Math.imul(mixed ^ word, HASH_MULTIPLIER);
  }
  keyLength = k;
  hash = mixed;
  const slot = mixed >>> CACHE_SLOT_SHIFT;
  const known = keys[slot];
  if (known === undefined) {
    return undefined;
  }
  while (k > 0) {
    k -= 1;
    if (known[k] !== key[k]) {
      return undefined;
    }
  }
  return texts[slot];
}

/** Remembers the text that was not found just now, if it was the last one missing there before, too. */
function offer(text: string): void {
  if (keyLength === 0) {
    return;
  }
  const slot = hash >>> CACHE_SLOT_SHIFT;
  if (missed[slot] === hash) {
    keys[slot] = key.slice(0, keyLength);
    texts[slot] = text;
  }
  missed[slot] = hash;
}
