/** Something to be woken. Its place in the heap is kept here, so that it can be moved without a search. */
export interface Sleeper {
  /** Set by `Deadlines` alone; Infinity while not in it. */
  wakeAt: number;
  /** -1 while not in it. */
  heapIndex: number;
}

/**
 * When to wake whom: a binary heap with the earliest on top. A deadline that moves later (nearly all of them, with every
 * packet) is left where it is: its owner looks again when woken, once per deadline instead of once per packet.
 */
export class Deadlines<T extends Sleeper> {
  readonly #heap: T[] = [];

  /** Time of the earliest, Infinity for none. */
  get next(): number {
    return this.#heap[0]?.wakeAt ?? Number.POSITIVE_INFINITY;
  }

  /** Wakes `sleeper` at `time` at the latest; an earlier time stands. */
  wakeBy(sleeper: T, time: number): void {
    if (time >= sleeper.wakeAt) return;
    sleeper.wakeAt = time;
    if (sleeper.heapIndex < 0) sleeper.heapIndex = this.#heap.push(sleeper) - 1;
    this.#up(sleeper);
  }

  /** Takes the earliest when its time has come. */
  take(now: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.wakeAt > now) return undefined;
    this.remove(first);
    return first;
  }

  remove(sleeper: T): void {
    const index = sleeper.heapIndex;
    if (index < 0) return;
    sleeper.heapIndex = -1;
    sleeper.wakeAt = Number.POSITIVE_INFINITY;
    const last = this.#heap.pop() as T;
    if (last === sleeper) return;
    last.heapIndex = index;
    this.#down(last);
    this.#up(last);
  }

  #up(sleeper: T): void {
    let index = sleeper.heapIndex;
    while (index > 0) {
      const parent = this.#heap[(index - 1) >> 1] as T;
      if (parent.wakeAt <= sleeper.wakeAt) break;
      this.#put(parent, index);
      index = (index - 1) >> 1;
    }
    this.#put(sleeper, index);
  }

  #down(sleeper: T): void {
    let index = sleeper.heapIndex;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = this.#heap[childIndex];
      if (child === undefined) break;
      const right = this.#heap[childIndex + 1];
      if (right !== undefined && right.wakeAt < child.wakeAt) {
        child = right;
        childIndex++;
      }
      if (child.wakeAt >= sleeper.wakeAt) break;
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(sleeper, index);
  }

  #put(sleeper: T, index: number): void {
    this.#heap[index] = sleeper;
    sleeper.heapIndex = index;
  }
}
