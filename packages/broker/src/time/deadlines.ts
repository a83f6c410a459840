import { type Scheduler, type Sleeper, Deadlines as Sleepers } from "@tidewire/link";

/** Something to be done at its time, unless it is cancelled. */
export class Deadline implements Sleeper {
  wakeAt: number = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  readonly wake: () => void;

  constructor(action: () => void) {
    this.wake = action;
  }
}

/** Any number of deadlines on one timer. */
export class Deadlines {
  readonly #scheduler: Scheduler;
  readonly #sleepers: Sleepers;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#sleepers = new Sleepers(scheduler);
  }

  after(delayMs: number, action: () => void): Deadline {
    const deadline = new Deadline(action);
    this.#sleepers.wakeBy(deadline, this.#scheduler.now() + delayMs);
    return deadline;
  }

  /** Of one that has passed, too: nothing happens then. */
  cancel(deadline: Deadline): void {
    this.#sleepers.remove(deadline);
  }

  clear(): void {
    this.#sleepers.clear();
  }
}
