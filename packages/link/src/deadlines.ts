import { LATE_TIMER_MS, LONGEST_TIMER_MS, TURNS_BEFORE_JUDGEMENT } from "./limits.ts";
import { later, type Scheduler } from "./scheduler.ts";

/** Something to be woken. Its place in the heap is kept here, so that it can be moved without a search. */
export interface Sleeper {
  /** Set by `Deadlines` alone; Infinity while not in it. */
  wakeAt: number;
  /** -1 while not in it. */
  heapIndex: number;
  /** Called when its time has come, and no more of it is known then. */
  wake(now: number): void;
}

/**
 * When to wake whom, on one timer: a binary heap with the earliest on top. A deadline that moves later (nearly all of
 * them, with every packet) may be left where it is: its owner looks again when woken, once per deadline instead of once
 * per packet. A timer that goes off late lets I/O go first, so that the owner may find that all is well.
 */
export class Deadlines {
  readonly #scheduler: Scheduler;
  readonly #heap: Sleeper[] = [];
  #timer: unknown = undefined;
  /** Infinity while no timer is set. */
  #timerAt: number = Number.POSITIVE_INFINITY;
  /** Turns that a late timer has left to I/O. */
  #turnsWaited = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Wakes `sleeper` at `time` at the latest; an earlier time stands. */
  wakeBy(sleeper: Sleeper, time: number): void {
    if (time >= sleeper.wakeAt) {
      return;
    }
    sleeper.wakeAt = time;
    if (sleeper.heapIndex < 0) {
      sleeper.heapIndex = this.#heap.push(sleeper) - 1;
    }
    this.#up(sleeper);
    this.#setTimer();
  }

  /** With the last one goes the timer, which would keep Node's process alive. */
  remove(sleeper: Sleeper): void {
    this.#take(sleeper);
    if (this.#heap.length > 0) {
      return;
    }
    this.#scheduler.clearTimer(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  clear(): void {
    for (let last = this.#heap.at(-1); last !== undefined; last = this.#heap.at(-1)) {
      this.remove(last);
    }
  }

  readonly #wake = (): void => {
    const now = this.#scheduler.now();
    // A process that stood still, or was busy, has not read yet what came meanwhile: nobody is late before that is done.
    if (now - this.#timerAt > LATE_TIMER_MS && this.#turnsWaited < TURNS_BEFORE_JUDGEMENT) {
      this.#turnsWaited += 1;
      later(this.#scheduler, this.#wake);
      return;
    }
    this.#turnsWaited = 0;
    this.#scheduler.clearTimer(this.#timer);
    // The timer is set again once all are awake.
    this.#timerAt = Number.NEGATIVE_INFINITY;
    try {
      for (let first = this.#heap[0]; first !== undefined && first.wakeAt <= now; first = this.#heap[0]) {
        this.#take(first);
        first.wake(now);
      }
    } finally {
      // Also for the others when one throws.
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#setTimer();
    }
  };

  /** Only when it has to go off earlier than it is set to. */
  #setTimer(): void {
    const next = this.#heap[0]?.wakeAt ?? Number.POSITIVE_INFINITY;
    if (next >= this.#timerAt) {
      return;
    }
    this.#scheduler.clearTimer(this.#timer);
    this.#timerAt = next;
    const delayMs = Math.max(0, Math.ceil(next - this.#scheduler.now()));
    this.#timer = this.#scheduler.setTimer(this.#wake, Math.min(delayMs, LONGEST_TIMER_MS));
  }

  #take(sleeper: Sleeper): void {
    const index = sleeper.heapIndex;
    if (index < 0) {
      return;
    }
    sleeper.heapIndex = -1;
    sleeper.wakeAt = Number.POSITIVE_INFINITY;
    const last = this.#heap.pop() as Sleeper;
    if (last === sleeper) {
      return;
    }
    last.heapIndex = index;
    this.#down(last);
    this.#up(last);
  }

  #up(sleeper: Sleeper): void {
    let index = sleeper.heapIndex;
    while (index > 0) {
      const parent = this.#heap[(index - 1) >> 1] as Sleeper;
      if (parent.wakeAt <= sleeper.wakeAt) {
        break;
      }
      this.#put(parent, index);
      index = (index - 1) >> 1;
    }
    this.#put(sleeper, index);
  }

  #down(sleeper: Sleeper): void {
    let index = sleeper.heapIndex;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = this.#heap[childIndex];
      if (child === undefined) {
        break;
      }
      const right = this.#heap[childIndex + 1];
      if (right !== undefined && right.wakeAt < child.wakeAt) {
        child = right;
        childIndex += 1;
      }
      if (child.wakeAt >= sleeper.wakeAt) {
        break;
      }
      this.#put(child, index);
      index = childIndex;
    }
    this.#put(sleeper, index);
  }

  #put(sleeper: Sleeper, index: number): void {
    this.#heap[index] = sleeper;
    sleeper.heapIndex = index;
  }
}
