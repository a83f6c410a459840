import type { Scheduler } from "./interfaces.ts";

/**
 * A browser's time and turns. A turn ends with a message to itself, which runs after the promise jobs of this one and,
 * unlike a timer, is neither delayed by four milliseconds nor throttled in a background tab.
 */
export function browserScheduler(): Scheduler {
  const channel = new MessageChannel();
  const queue: (() => void)[] = [];
  // One message per callback: each is a task of its own, with I/O and painting between them.
  channel.port1.onmessage = () => queue.shift()?.();
  const post = (callback: () => void): void => {
    queue.push(callback);
    channel.port2.postMessage(undefined);
  };
  return {
    now: () => performance.now(),
    defer: post,
    later: post,
    setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimer: (handle) => clearTimeout(handle),
  };
}

// What is used of the browser, so that this package compiles without platform types.
interface MessagePort {
  onmessage: (() => void) | null;
  postMessage(message: undefined): void;
}
declare const MessageChannel: new () => { readonly port1: MessagePort; readonly port2: MessagePort };
declare const performance: { now(): number };
declare function setTimeout(callback: () => void, delayMs: number): unknown;
declare function clearTimeout(handle: unknown): void;
