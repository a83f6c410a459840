import { MAXIMUM_PACKET_ID } from "./limits.ts";

/**
 * Which packet identifiers are in use: one bit each. It starts with room for a few and doubles while at least half are
 * in use, so that an idle session costs next to nothing, an identifier rests a while before it comes round again, and
 * the search for a free one is short.
 */
export class PacketIds {
  #words: Uint32Array = newWords(FIRST_WORDS);
  #used = 0;
  #next = 1;

  /** How many are free. */
  get available(): number {
    return MAXIMUM_PACKET_ID - this.#used;
  }

  has(packetId: number): boolean {
    return ((this.#words[packetId >>> 5] ?? 0) & (1 << (packetId & 31))) !== 0;
  }

  /** Takes a free identifier; 0 when all are in use. */
  take(): number {
    if (this.#used === MAXIMUM_PACKET_ID) return 0;
    if (this.#used * 64 >= this.#words.length * 32) this.#grow(this.#words.length * 2);
    const words = this.#words;
    let index = this.#next >>> 5;
    let free = ~(words[index] as number) & (-1 << (this.#next & 31));
    while (free === 0) {
      index = index + 1 === words.length ? 0 : index + 1;
      free = ~(words[index] as number);
    }
    const bit = 31 - Math.clz32(free & -free);
    words[index] = (words[index] as number) | (1 << bit);
    this.#used++;
    const packetId = index * 32 + bit;
    this.#rest(packetId);
    return packetId;
  }

  /** Marks one as in use that came from elsewhere (a store). */
  reserve(packetId: number): void {
    if (this.has(packetId)) return;
    this.#grow(2 ** Math.ceil(Math.log2((packetId >>> 5) + 1)));
    this.#words[packetId >>> 5] = (this.#words[packetId >>> 5] as number) | (1 << (packetId & 31));
    this.#used++;
    this.#rest(packetId);
  }

  release(packetId: number): void {
    if (packetId === 0 || !this.has(packetId)) return;
    this.#words[packetId >>> 5] = (this.#words[packetId >>> 5] as number) & ~(1 << (packetId & 31));
    this.#used--;
  }

  clear(): void {
    this.#words = newWords(FIRST_WORDS);
    this.#used = 0;
    this.#next = 1;
  }

  /** The search goes on behind the one taken last. */
  #rest(packetId: number): void {
    this.#next = packetId + 1 === this.#words.length * 32 ? 1 : packetId + 1;
  }

  #grow(length: number): void {
    if (length <= this.#words.length || this.#words.length === ALL_WORDS) return;
    const words = newWords(length);
    words.set(this.#words);
    this.#words = words;
  }
}

const FIRST_WORDS = 2;
const ALL_WORDS = (MAXIMUM_PACKET_ID + 1) / 32;

/** Identifier 0 does not exist: it is always in use. */
function newWords(length: number): Uint32Array {
  const words = new Uint32Array(length);
  words[0] = 1;
  return words;
}
