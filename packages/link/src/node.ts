import type { Scheduler } from "./scheduler.ts";

/**
 * Node's time and turns. A turn ends in `process.nextTick`: after the promise jobs of an `await publish()` loop, which a
 * microtask would cut into one write per packet, and before the next I/O callback.
 */
export function nodeScheduler(): Scheduler {
  return {
    now: () => performance.now(),
    defer: (callback) => process.nextTick(callback),
    later: (callback) => setImmediate(callback),
    setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimer: (handle) => clearTimeout(handle),
  };
}

// What is used of Node, so that this package compiles without platform types.
declare const performance: { now(): number };
declare const process: { nextTick(callback: () => void): void };
declare function setImmediate(callback: () => void): unknown;
declare function setTimeout(callback: () => void, delayMs: number): unknown;
declare function clearTimeout(handle: unknown): void;
