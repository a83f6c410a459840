import { StoreError } from "./errors.ts";

/** The part of `navigator.locks` that is used. */
export interface Locks {
  request(name: string, options: { readonly signal: AbortSignal }, callback: () => Promise<void>): Promise<unknown>;
}

/**
 * Takes a lock that tabs and workers of one origin share, and resolves with what lets it go. The browser lets it go too
 * when the page ends, however it ends.
 */
export function takeLock(
  locks: Locks,
  name: string,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<() => void> {
  const limit = new AbortController();
  const onAbort = () => limit.abort(new StoreError("aborted", "Opening was aborted.", { cause: signal?.reason }));
  const onTimeout = () => limit.abort(new StoreError("client-id-in-use", "Another tab or worker uses this client id."));
  const timer = timeoutMs === Number.POSITIVE_INFINITY ? undefined : setTimeout(onTimeout, timeoutMs);
  if (signal?.aborted === true) {
    onAbort();
  }
  signal?.addEventListener("abort", onAbort, { once: true });
  const taken = new Promise<() => void>((resolve, reject) => {
    const held = (): Promise<void> => new Promise((release) => resolve(release));
    locks.request(name, { signal: limit.signal }, held).catch(() => reject(limit.signal.reason));
  });
  return taken.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  });
}
