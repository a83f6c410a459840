import { MockNetworkError } from "./errors.ts";
import { limits } from "./limits.ts";

/** A timer that was set; opaque to whoever holds it. */
export interface VirtualTimer {
  readonly atMs: number;
}

/** Virtual time: nothing happens until the test says so, and then in an order that is the same every time. */
export class VirtualScheduler {
  #nowMs: number;
  #sequence = 0;
  #pendingNetwork = 0;
  readonly #heap: Entry[] = [];
  #deferred: (() => void)[] = [];

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  /** Milliseconds of virtual time. */
  now(): number {
    return this.#nowMs;
  }

  /** Runs `callback` at the end of the current turn, in the order of the calls. */
  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  /** Runs `callback` after `delayMs`; at equal times in the order in which they were set. */
  setTimer(callback: () => void, delayMs: number): VirtualTimer {
    return this.#insert(callback, delayMs, false);
  }

  clearTimer(handle: unknown): void {
    if (handle instanceof Entry && handle.index >= 0) {
      this.#remove(handle);
    }
  }

  /** Like `setTimer`, for an event of the network itself: `run` goes on until none is left. */
  setNetworkEvent(callback: () => void, delayMs: number): VirtualTimer {
    return this.#insert(callback, delayMs, true);
  }

  /** Deferred callbacks and network events that have not run. */
  get pending(): number {
    return this.#deferred.length + this.#pendingNetwork;
  }

  /** Time of the next timer or network event. */
  get nextAtMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  /**
   * Runs until nothing is in flight. Time moves as far as the network needs, and timers due on the way fire; a timer
   * alone (a keep-alive, say) does not keep it going: that is what `advance` is for.
   *
   * @returns how many events ran
   */
  run(): number {
    let events = this.#runDeferred();
    while (this.#pendingNetwork > 0) {
      events += this.#runNext();
      if (events > limits.eventsPerRun) {
        throw notQuiet("events");
      }
    }
    return events;
  }

  /** Runs everything due in the next `ms` milliseconds and ends that much later. */
  advance(ms: number): number {
    const endMs = this.#nowMs + ms;
    let events = this.#runDeferred();
    while ((this.nextAtMs ?? Number.POSITIVE_INFINITY) <= endMs) {
      events += this.#runNext();
      if (events > limits.eventsPerRun) {
        throw notQuiet("events");
      }
    }
    this.#nowMs = endMs;
    return events;
  }

  /** Runs one event (with what it defers), moving time to it. False when there is none. */
  step(): boolean {
    if (this.#runDeferred() > 0) {
      return true;
    }
    if (this.#heap.length === 0) {
      return false;
    }
    this.#runNext();
    return true;
  }

  #runNext(): number {
    const entry = this.#heap[0] as Entry;
    this.#remove(entry);
    this.#nowMs = entry.atMs;
    entry.callback();
    return 1 + this.#runDeferred();
  }

  #runDeferred(): number {
    let count = 0;
    while (this.#deferred.length > 0) {
      const batch = this.#deferred;
      this.#deferred = [];
      for (const callback of batch) {
        callback();
      }
      count += batch.length;
      if (count > limits.eventsPerRun) {
        throw notQuiet("deferred callbacks");
      }
    }
    return count;
  }

  #insert(callback: () => void, delayMs: number, network: boolean): Entry {
    const entry = new Entry(this.#nowMs + Math.max(0, delayMs), this.#sequence, callback, network);
    this.#sequence += 1;
    if (network) {
      this.#pendingNetwork += 1;
    }
    this.#place(entry, this.#heap.push(entry) - 1);
    return entry;
  }

  #remove(entry: Entry): void {
    const index = entry.index;
    entry.index = -1;
    if (entry.network) {
      this.#pendingNetwork -= 1;
    }
    const last = this.#heap.pop() as Entry;
    if (last !== entry) {
      this.#place(last, index);
    }
  }

  /** Puts `entry` where it belongs, starting at a free `index` of the binary heap. */
  #place(entry: Entry, index: number): void {
    const heap = this.#heap;
    let at = index;
    while (at > 0) {
      const parentIndex = (at - 1) >> 1;
      const parent = heap[parentIndex] as Entry;
      if (!entry.before(parent)) {
        break;
      }
      heap[at] = parent;
      parent.index = at;
      at = parentIndex;
    }
    for (;;) {
      let childIndex = 2 * at + 1;
      let child = heap[childIndex];
      if (child === undefined) {
        break;
      }
      const right = heap[childIndex + 1];
      if (right?.before(child)) {
        child = right;
        childIndex += 1;
      }
      if (!child.before(entry)) {
        break;
      }
      heap[at] = child;
      child.index = at;
      at = childIndex;
    }
    heap[at] = entry;
    entry.index = at;
  }
}

class Entry implements VirtualTimer {
  readonly atMs: number;
  readonly sequence: number;
  readonly callback: () => void;
  readonly network: boolean;
  /** Place in the heap; -1 once it ran or was cleared. */
  index = -1;

  constructor(atMs: number, sequence: number, callback: () => void, network: boolean) {
    this.atMs = atMs;
    this.sequence = sequence;
    this.callback = callback;
    this.network = network;
  }

  before(other: Entry): boolean {
    return this.atMs < other.atMs || (this.atMs === other.atMs && this.sequence < other.sequence);
  }
}

function notQuiet(what: string): MockNetworkError {
  return new MockNetworkError("not-quiet", `The network is not quiet after ${limits.eventsPerRun} ${what}.`);
}
