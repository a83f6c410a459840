import type { Scheduler } from "@tidewire/link";

/** A deadline that was set; done with once it has passed or was cancelled. */
export interface Deadline {
  readonly at: number;
  readonly action: () => void;
  done: boolean;
}

/** Any number of deadlines on one timer: a binary heap with the next one on top. */
export class Deadlines {
  readonly #scheduler: Scheduler;
  #heap: Deadline[] = [];
  /** Those in the heap that only wait for their turn to be thrown away. */
  #cancelled = 0;
  #timer: unknown;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** With those that were cancelled and not cleared away yet. */
  get size(): number {
    return this.#heap.length;
  }

  after(delayMs: number, action: () => void): Deadline {
    const deadline = { at: this.#scheduler.now() + delayMs, action, done: false };
    this.#push(deadline);
    this.#arm();
    return deadline;
  }

  cancel(deadline: Deadline): void {
    if (deadline.done) {
      return;
    }
    deadline.done = true;
    this.#cancelled += 1;
    // Clients that come and go set and cancel far-off deadlines without end.
    if (this.#cancelled > CANCELLED_KEPT && this.#cancelled * 2 > this.#heap.length) {
      // A sorted array is a heap.
      this.#heap = this.#heap.filter((one) => !one.done).sort((a, b) => a.at - b.at);
      this.#cancelled = 0;
    }
  }

  clear(): void {
    this.#heap = [];
    this.#cancelled = 0;
    this.#arm();
  }

  #run(): void {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#scheduler.now();
    while (this.#heap.length > 0 && (this.#heap[0]!.done || this.#heap[0]!.at <= now)) {
      const deadline = this.#pop();
      if (deadline.done) {
        this.#cancelled -= 1;
      } else {
        // From here on cancelling it changes nothing.
        deadline.done = true;
        deadline.action();
      }
    }
    this.#arm();
  }

  #arm(): void {
    const at = this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
    if (at === this.#timerAt) {
      return;
    }
    if (this.#timer !== undefined) {
      this.#scheduler.clearTimer(this.#timer);
      this.#timer = undefined;
    }
    this.#timerAt = at;
    if (at !== Number.POSITIVE_INFINITY) {
      const delayMs = Math.min(Math.max(0, at - this.#scheduler.now()), LONGEST_TIMER_MS);
      this.#timer = this.#scheduler.setTimer(() => this.#run(), delayMs);
    }
  }

  #push(deadline: Deadline): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(deadline);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.at <= deadline.at) {
        break;
      }
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = deadline;
  }

  #pop(): Deadline {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      let index = 0;
      for (;;) {
        let child = 2 * index + 1;
        if (child >= heap.length) {
          break;
        }
        if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) {
          child += 1;
        }
        if (last.at <= heap[child]!.at) {
          break;
        }
        heap[index] = heap[child]!;
        index = child;
      }
      heap[index] = last;
    }
    return top;
  }
}

/** Timers take a signed 32-bit number of milliseconds; a later deadline is armed again when that has passed. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Fewer cancelled ones than these are not worth cleaning up. */
const CANCELLED_KEPT = 1024;
