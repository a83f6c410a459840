import type { Scheduler } from "./scheduler.ts";

/**
 * A page's time and turns. A turn ends with a message to itself, which runs after the promise jobs of this one and,
 * unlike a timer, is neither delayed by four milliseconds nor throttled in a background tab.
 */
export function pageScheduler(): Scheduler {
  // Node and its like have a name for it, and no channel that keeps the process alive is needed there.
  const post = typeof setImmediate === "undefined" ? messageQueue() : setImmediate;
  return {
    now: () => performance.now(),
    defer: post,
    later: post,
    setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimer: (handle) => clearTimeout(handle),
  };
}

/**
 * A page's scheduler whose timers are on time in the background as well. There they may go off a minute late, which is
 * too late for keep-alive; those of a worker are on time. So each timer is set in both, and the first to go off counts:
 * without workers, or where the page's policy forbids this one, the page's own remains. All callers share one scheduler,
 * whose worker ends with the last of those who `hold` it.
 */
export function browserScheduler(): Scheduler {
  shared ??= withWorker();
  return shared;
}

let shared: Scheduler | undefined;

function withWorker(): Scheduler {
  /** What to call, by the page's own handle. */
  const timers = new Map<unknown, () => void>();
  const clearTimer = (handle: unknown): void => {
    timers.delete(handle);
    clearTimeout(handle);
  };
  const goOff = (handle: unknown): void => {
    const callback = timers.get(handle);
    clearTimer(handle);
    callback?.();
  };
  let clock: Clock | undefined;
  let users = 0;
  return {
    ...pageScheduler(),
    setTimer: (callback, delayMs) => {
      const handle = setTimeout(() => goOff(handle), delayMs);
      timers.set(handle, callback);
      clock ??= startClock(goOff);
      clock.set(handle, delayMs);
      return handle;
    },
    clearTimer,
    hold: () => {
      users += 1;
      let held = 1;
      return () => {
        users -= held;
        held = 0;
        if (users === 0) {
          clock?.end();
          clock = undefined;
        }
      };
    },
  };
}

/** One message per callback: each is a task of its own, with I/O and painting between them. */
function messageQueue(): (callback: () => void) => void {
  const channel = new MessageChannel();
  const queue: (() => void)[] = [];
  channel.port1.onmessage = () => queue.shift()?.();
  return (callback) => {
    queue.push(callback);
    channel.port2.postMessage(undefined);
  };
}

interface Clock {
  set(handle: unknown, delayMs: number): void;
  end(): void;
}

/** A clock in a worker, which is sent a handle and a time and sends the handle back when that is over. */
function startClock(goOff: (handle: unknown) => void): Clock {
  const source = "onmessage = ({ data: [handle, ms] }) => setTimeout(postMessage, ms, handle)";
  let worker: Worker | undefined;
  let url = "";
  try {
    if (typeof document !== "undefined") {
      url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      worker = new Worker(url);
      worker.onmessage = ({ data }) => goOff(data);
    }
  } catch {
    // The page's own timers remain.
  }
  return {
    set: (handle, delayMs) => worker?.postMessage([handle, delayMs]),
    end: () => {
      worker?.terminate();
      URL.revokeObjectURL(url);
    },
  };
}

// What is used of the browser, so that this package compiles without platform types.
interface MessagePort {
  onmessage: (() => void) | null;
  postMessage(message: undefined): void;
}
interface Worker {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: readonly [handle: unknown, delayMs: number]): void;
  terminate(): void;
}
declare const MessageChannel: new () => { readonly port1: MessagePort; readonly port2: MessagePort };
declare const Worker: new (url: string) => Worker;
declare const Blob: new (parts: readonly string[], options: { readonly type: string }) => unknown;
declare const URL: { createObjectURL(blob: unknown): string; revokeObjectURL(url: string): void };
declare const document: unknown;
declare const setImmediate: ((callback: () => void) => unknown) | undefined;
declare const performance: { now(): number };
declare function setTimeout(callback: () => void, delayMs: number): unknown;
declare function clearTimeout(handle: unknown): void;
