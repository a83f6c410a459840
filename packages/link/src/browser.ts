import type { Scheduler } from "./interfaces.ts";

/**
 * A browser's time and turns. A turn ends with a message to itself, which runs after the promise jobs of this one and,
 * unlike a timer, is neither delayed by four milliseconds nor throttled in a background tab.
 *
 * Timers of a page in the background may go off a minute late, which is too late for keep-alive; those of a worker are
 * on time. So each timer is set in both, and the first to go off counts: without workers, or where the page's policy
 * forbids this one, the page's own remains.
 */
export function browserScheduler(): Scheduler {
  const post = messageQueue();
  let clock: WorkerClock | undefined;
  return {
    now: () => performance.now(),
    defer: post,
    later: post,
    setTimer: (callback, delayMs) => {
      const timer: Timer = { callback, handle: undefined, done: false };
      timer.handle = setTimeout(() => goOff(timer), delayMs);
      if (typeof document !== "undefined") {
        clock ??= new WorkerClock();
        clock.set(timer, delayMs);
      }
      return timer;
    },
    clearTimer: (handle) => {
      // As with the platform's own, there may be none to clear.
      const timer = handle as Timer | undefined;
      if (timer === undefined) return;
      timer.done = true;
      clearTimeout(timer.handle);
    },
  };
}

interface Timer {
  readonly callback: () => void;
  handle: unknown;
  done: boolean;
}

function goOff(timer: Timer): void {
  if (timer.done) return;
  timer.done = true;
  clearTimeout(timer.handle);
  timer.callback();
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

/** Timers that go off in a worker. */
class WorkerClock {
  readonly #worker: Worker | undefined = startWorker();
  readonly #timers: Map<number, Timer> = new Map();
  #lastId = 0;

  constructor() {
    if (this.#worker === undefined) return;
    this.#worker.onmessage = ({ data }) => {
      const timer = this.#timers.get(data);
      this.#timers.delete(data);
      if (timer !== undefined) goOff(timer);
    };
    // Refused by the page's policy: nothing is to be expected from it.
    this.#worker.onerror = () => this.#timers.clear();
  }

  set(timer: Timer, delayMs: number): void {
    if (this.#worker === undefined) return;
    this.#timers.set(++this.#lastId, timer);
    this.#worker.postMessage([this.#lastId, delayMs]);
  }
}

function startWorker(): Worker | undefined {
  const source = "onmessage = ({ data: [id, ms] }) => setTimeout(postMessage, ms, id)";
  try {
    return new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
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
  onmessage: ((event: { readonly data: number }) => void) | null;
  onerror: (() => void) | null;
  postMessage(message: readonly [id: number, delayMs: number]): void;
}
declare const MessageChannel: new () => { readonly port1: MessagePort; readonly port2: MessagePort };
declare const Worker: new (url: string) => Worker;
declare const Blob: new (parts: readonly string[], options: { readonly type: string }) => unknown;
declare const URL: { createObjectURL(blob: unknown): string };
declare const document: unknown;
declare const performance: { now(): number };
declare function setTimeout(callback: () => void, delayMs: number): unknown;
declare function clearTimeout(handle: unknown): void;
