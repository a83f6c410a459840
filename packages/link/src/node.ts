import type { Scheduler } from "./interfaces.ts";

/**
 * Node's time and turns. A turn ends in `process.nextTick`: after the promise jobs of an `await publish()` loop, which a
 * microtask would cut into one write per packet, and before the next I/O callback. Timers do not keep the process alive:
 * connections do.
 */
export function nodeScheduler(): Scheduler {
  return {
    now: () => performance.now(),
    defer: (callback) => process.nextTick(callback),
    later: (callback) => setImmediate(callback),
    setTimer: (callback, delayMs) => {
      const timer = setTimeout(callback, delayMs);
      timer.unref();
      return timer;
    },
    clearTimer: (handle) => clearTimeout(handle),
  };
}

// What is used of Node, so that this package compiles without platform types.
declare const performance: { now(): number };
declare const process: { nextTick(callback: () => void): void };
declare function setImmediate(callback: () => void): unknown;
declare function setTimeout(callback: () => void, delayMs: number): { unref(): void };
declare function clearTimeout(handle: unknown): void;
