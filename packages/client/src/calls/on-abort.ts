/** By signal, what is to be called when it fires. */
const waiting: WeakMap<AbortSignal, Set<() => void>> = /* @__PURE__ */ new WeakMap();

/**
 * Calls `callback` when the signal fires; returns what takes that back. A signal may live as long as the program and serve
 * many calls, so it gets one listener from all of them, and keeps nothing of those that are over.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let callbacks = waiting.get(signal);
  if (callbacks === undefined) {
    const all = new Set<() => void>();
    callbacks = all;
    waiting.set(signal, all);
    signal.addEventListener("abort", () => {
      for (const each of all) {
        each();
      }
    });
  }
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}
