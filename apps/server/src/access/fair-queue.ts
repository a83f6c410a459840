/**
 * What waits, by whom it is from. Everybody gets a turn before anybody gets a second one, so that who sends much waits
 * for himself. Of one key, where few wait, the first goes first; where many do, the oldest and the newest go in turn:
 * the oldest may soon give up, and the newest has all its time left.
 */
export class FairQueue<Item> {
  /** In the order of their turns. */
  readonly #waiting = new Map<string, Item[]>();
  readonly #limit: number;
  readonly #calm: number;
  #size = 0;
  #newestIsNext = false;

  /** Up to `limit` wait, and up to `calm` of one key in the order they came. */
  constructor(limit: number, calm: number) {
    this.#limit = limit;
    this.#calm = calm;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes `item` in. When that is one too many, returns the one that has to go: the oldest of the heaviest key. */
  push(key: string, item: Item): Item | undefined {
    const full = this.#size >= this.#limit;
    const own = this.#waiting.get(key);
    const heaviest = full ? this.#heaviest() : undefined;
    if (full && own === undefined && (heaviest === undefined || heaviest[1].length < 2)) {
      return item;
    }
    if (own === undefined) {
      this.#waiting.set(key, [item]);
    } else {
      own.push(item);
    }
    this.#size += 1;
    if (heaviest === undefined) {
      return undefined;
    }
    const [heavyKey, items] = own !== undefined && own.length > heaviest[1].length ? [key, own] : heaviest;
    const [oldest] = items;
    if (oldest !== undefined) {
      this.remove(heavyKey, oldest);
    }
    return oldest;
  }

  /** Whose turn it is. */
  shift(): Item | undefined {
    for (const [key, items] of this.#waiting) {
      this.#newestIsNext = items.length > this.#calm && !this.#newestIsNext;
      const item = this.#newestIsNext ? items.pop() : items.shift();
      // Behind all others.
      this.#waiting.delete(key);
      if (items.length > 0) {
        this.#waiting.set(key, items);
      }
      this.#size -= 1;
      return item;
    }
    return undefined;
  }

  /** Takes one out that waits no more. */
  remove(key: string, item: Item): void {
    const items = this.#waiting.get(key);
    const index = items?.indexOf(item) ?? -1;
    if (items === undefined || index < 0) {
      return;
    }
    items.splice(index, 1);
    this.#size -= 1;
    if (items.length === 0) {
      this.#waiting.delete(key);
    }
  }

  /** Looks at each key once: at most `limit`, and only while the queue is full. */
  #heaviest(): [key: string, items: Item[]] | undefined {
    let heaviest: [string, Item[]] | undefined;
    for (const entry of this.#waiting) {
      if (heaviest === undefined || entry[1].length > heaviest[1].length) {
        heaviest = entry;
      }
    }
    return heaviest;
  }
}
