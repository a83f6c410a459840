/** Time and turns. Node's is in `@tidewire/link/node`, the browser's in `@tidewire/link/browser`, a virtual one in transport-mock. */
export interface Scheduler {
  /** Monotonic milliseconds. */
  now(): number;
  /** Runs at the end of this turn: after the callbacks that are due now, before waiting for I/O. */
  defer(callback: () => void): void;
  /** Runs in a later turn, after I/O had its chance. Default: a timer of 0. */
  later?(callback: () => void): void;
  setTimer(callback: () => void, delayMs: number): unknown;
  clearTimer(handle: unknown): void;
  /**
   * Says that somebody uses it; returns what takes that back. What it has of the platform that no garbage collector takes
   * back, such as a worker, ends with the last user.
   */
  hold?(): () => void;
}

export function later(scheduler: Scheduler, callback: () => void): void {
  if (scheduler.later === undefined) {
    scheduler.setTimer(callback, 0);
  } else {
    scheduler.later(callback);
  }
}
