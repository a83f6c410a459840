/**
 * Strings by their bytes, for text that comes again and again: topic names, content types, property names. Finding one
 * costs a third of making it, and whoever looks it up in a map later finds its hash computed already.
 * There is one slot a hash and nothing to evict: a slot takes the text that was the last two to miss in it.
 * Benchmark: `decode PUBLISH`.
 */
export class TextCache {
  /** Length and then the bytes, four to a number, which compares faster. */
  readonly #keys: (Int32Array | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly #texts: string[] = new Array(SLOTS).fill("");
  readonly #missed = new Int32Array(SLOTS);
  /** Hash of the last `get`, for the `offer` that follows when it found nothing. */
  #hash = 0;

  get(bytes: Uint8Array, start: number, end: number): string | undefined {
    const length = end - start;
    if (length > MAXIMUM_LENGTH) return undefined;
    const wordsEnd = end - (length & 3);
    let hash = length;
    for (let i = start; i < wordsEnd; i += 4) hash = Math.imul(hash ^ word(bytes, i), MULTIPLIER);
    const last = lastWord(bytes, wordsEnd, end);
    hash = Math.imul(hash ^ last, MULTIPLIER);
    this.#hash = hash;
    const slot = hash >>> SLOT_SHIFT;
    const key = this.#keys[slot];
    if (key === undefined || key[0] !== length) return undefined;
    let k = 1;
    for (let i = start; i < wordsEnd; i += 4) {
      if (key[k++] !== word(bytes, i)) return undefined;
    }
    return key[k] === last ? this.#texts[slot] : undefined;
  }

  /** Remembers the text that the last `get` did not find, if it was the last one missing there before, too. */
  offer(bytes: Uint8Array, start: number, end: number, text: string): void {
    const length = end - start;
    if (length > MAXIMUM_LENGTH) return;
    const hash = this.#hash;
    const slot = hash >>> SLOT_SHIFT;
    if (this.#missed[slot] === hash) {
      this.#keys[slot] = toKey(bytes, start, end);
      this.#texts[slot] = text;
    }
    this.#missed[slot] = hash;
  }
}

function toKey(bytes: Uint8Array, start: number, end: number): Int32Array {
  const length = end - start;
  const words = length >> 2;
  const key = new Int32Array(words + 2);
  key[0] = length;
  for (let w = 0; w < words; w++) key[w + 1] = word(bytes, start + 4 * w);
  key[words + 1] = lastWord(bytes, start + 4 * words, end);
  return key;
}

function word(bytes: Uint8Array, i: number): number {
  return (
    (bytes[i] as number) |
    ((bytes[i + 1] as number) << 8) |
    ((bytes[i + 2] as number) << 16) |
    ((bytes[i + 3] as number) << 24)
  );
}

/** The up to three bytes behind the last whole word. */
function lastWord(bytes: Uint8Array, start: number, end: number): number {
  let last = 0;
  for (let i = start; i < end; i++) last = (last << 8) | (bytes[i] as number);
  return last;
}

/** With texts of up to 64 bytes, at most some 50 KB a process for each cache. */
const SLOTS = 256;
/** Multiplying mixes upwards, so the slot is in the high eight bits. */
const SLOT_SHIFT = 24;
const MAXIMUM_LENGTH = 64;
/** Odd, with bits all over: 2^32 divided by the golden ratio. */
const MULTIPLIER = 0x9e3779b1;
