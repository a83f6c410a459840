import { TransportError } from "./errors.ts";

/**
 * The one way to call a callback that belongs to somebody else. What it throws, at once or later as a promise that it
 * returned, goes to `onFailure` and no further: an exception in an event listener of a socket would end the process, and
 * all other connections with it.
 */
export function guard(callback: () => unknown, onFailure: (cause: unknown) => void): void {
  try {
    watch(callback(), onFailure);
  } catch (cause) {
    onFailure(cause);
  }
}

/** For what a callback returned: the failure of an asynchronous one comes later. */
export function watch(result: unknown, onFailure: (cause: unknown) => void): void {
  if (typeof (result as { then?: unknown } | null | undefined)?.then === "function") {
    Promise.resolve(result).catch(onFailure);
  }
}

/** What a connection ends with when `onData` or `onDrain` of its handler threw. */
export function callbackError(name: string, cause: unknown): TransportError {
  return new TransportError("callback-threw", `${name} threw; its connection was ended.`, { cause });
}

/**
 * Tells the platform that a callback threw on which nothing depends any more, such as `onClose`: `reportError` in
 * browsers, a `warning` of the process in Node. At most once in a minute for each callback: whoever can make it throw
 * must not be able to fill a disk.
 */
export function warn(name: string, cause: unknown): void {
  const now = performance.now();
  if (now - (warned.get(name) ?? Number.NEGATIVE_INFINITY) < WARNING_INTERVAL_MS) {
    return;
  }
  warned.set(name, now);
  const { process: node, reportError } = platform;
  if (node?.emitWarning === undefined) {
    reportError?.(callbackError(name, cause));
    return;
  }
  const text = cause instanceof Error ? cause.stack : String(cause);
  node.emitWarning(`${name} threw and was left out. ${text}`, { code: "TIDEWIRE_CALLBACK_THREW" });
}

const platform = globalThis as {
  readonly reportError?: (error: unknown) => void;
  readonly process?: { emitWarning?(text: string, options: { readonly code: string }): void };
};

declare const performance: { now(): number };

const warned = new Map<string, number>();

const WARNING_INTERVAL_MS = 60_000;
