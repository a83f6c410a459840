/** A queue in an array: both ends in constant time, and no array copied for each `shift`. */
export class Deque<Item> {
  #items: (Item | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** The item `index` places behind the first. */
  at(index: number): Item | undefined {
    return this.#items[this.#head + index];
  }

  shift(): Item | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) {
      return undefined;
    }
    this.#items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > COMPACT_AFTER && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes out the item `index` places behind the first. */
  remove(index: number): void {
    if (index === 0) {
      this.shift();
    } else {
      this.#items.splice(this.#head + index, 1);
    }
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}

/** Below this many freed places copying costs more than it saves. */
const COMPACT_AFTER = 1024;
