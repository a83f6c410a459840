import type { Scheduler } from "./scheduler.ts";

/**
 * A page's time and turns. A turn ends with a message to itself, which runs after the promise jobs of this one and,
 * unlike a timer, is neither delayed by four milliseconds nor throttled in a background tab.
 */
export function pageScheduler(): Scheduler {
  const post = messageQueue();
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
 * without workers, or where the page's policy forbids this one, the page's own remains.
 */
export function browserScheduler(): Scheduler {
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
  const worker = typeof document === "undefined" ? undefined : startWorker(goOff);
  return {
    ...pageScheduler(),
    setTimer: (callback, delayMs) => {
      const handle = setTimeout(() => goOff(handle), delayMs);
      timers.set(handle, callback);
      worker?.postMessage([handle, delayMs]);
      return handle;
    },
    clearTimer,
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

/** A clock in a worker, which is sent a handle and a time and sends the handle back when that is over. */
function startWorker(goOff: (handle: unknown) => void): Worker | undefined {
  const source = "onmessage = ({ data: [handle, ms] }) => setTimeout(postMessage, ms, handle)";
  try {
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    worker.onmessage = ({ data }) => goOff(data);
    return worker;
  } catch {
    return undefined;
  }
}

// What is used of the browser, so that this package compiles without platform types.
interface MessagePort {
  onmessage: (() => void) | null;
  postMessage(message: undefined): void;
}
interface Worker {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(message: readonly [handle: unknown, delayMs: number]): void;
}
declare const MessageChannel: new () => { readonly port1: MessagePort; readonly port2: MessagePort };
declare const Worker: new (url: string) => Worker;
declare const Blob: new (parts: readonly string[], options: { readonly type: string }) => unknown;
declare const URL: { createObjectURL(blob: unknown): string };
declare const document: unknown;
declare const performance: { now(): number };
declare function setTimeout(callback: () => void, delayMs: number): unknown;
declare function clearTimeout(handle: unknown): void;
