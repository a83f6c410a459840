/** How many different names there were, of which none is kept: what others choose may be long, and never ends. */
export class DistinctCount {
  readonly #limit: number;
  /** Hashes; that two names share one is rare enough for a number that people read. */
  readonly #hashes = new Set<number>();
  #full = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(name: string): void {
    const hash = hashOf(name);
    if (this.#hashes.size < this.#limit) {
      this.#hashes.add(hash);
    } else if (!this.#hashes.has(hash)) {
      this.#full = true;
    }
  }

  delete(name: string): void {
    this.#hashes.delete(hashOf(name));
  }

  get size(): number {
    return this.#hashes.size;
  }

  /** `7`, or `more than 1,000` where it stopped counting. */
  toString(): string {
    const count = this.#hashes.size.toLocaleString("en");
    return this.#full ? `more than ${count}` : count;
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash;
}
