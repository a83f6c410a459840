import type { Scheduler } from "@tidewire/link";

/**
 * The scheduler for all parts of a broker: what throws in a timer or a later turn is reported, and ends neither the
 * process nor what else was due.
 */
export function guardedScheduler(scheduler: Scheduler, onFailure: (error: unknown) => void): Scheduler {
  const guarded = (callback: () => void) => (): void => {
    try {
      callback();
    } catch (error) {
      onFailure(error);
    }
  };
  return {
    now: () => scheduler.now(),
    defer: (callback) => scheduler.defer(guarded(callback)),
    later: (callback) => {
      if (scheduler.later === undefined) {
        scheduler.setTimer(guarded(callback), 0);
      } else {
        scheduler.later(guarded(callback));
      }
    },
    setTimer: (callback, delayMs) => scheduler.setTimer(guarded(callback), delayMs),
    clearTimer: (handle) => scheduler.clearTimer(handle),
  };
}
