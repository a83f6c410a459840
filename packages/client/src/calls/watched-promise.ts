import type { ClientError } from "../errors/index.ts";

/**
 * The promise of a call, which knows whether anybody holds it: `publish(...)` without `await` is how people write what
 * they do not want to wait for, and its failure must not end the process as an unhandled rejection.
 */
export class WatchedPromise<Value> extends Promise<Value> {
  /** Somebody has asked for its outcome. */
  watched = false;

  /** What `then` gives is a plain promise, which is its owner's business. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // biome-ignore lint/suspicious/noThenProperty: that is how a promise is asked for its outcome.
  override then<Fulfilled = Value, Rejected = never>(
    onFulfilled?: ((value: Value) => Fulfilled | PromiseLike<Fulfilled>) | null,
    onRejected?: ((reason: unknown) => Rejected | PromiseLike<Rejected>) | null,
  ): Promise<Fulfilled | Rejected> {
    this.watched = true;
    return super.then(onFulfilled, onRejected);
  }
}

/** To be called with a promise that is being rejected: what nobody holds by the end of this turn is reported instead. */
export function reportUnwatched(
  promise: Promise<unknown>,
  error: ClientError,
  report: (error: ClientError) => void,
): void {
  const watched = promise as WatchedPromise<unknown>;
  if (watched.watched) {
    return;
  }
  // Handled, as far as the platform is concerned.
  watched.then(undefined, () => {});
  watched.watched = false;
  // After all that the caller does with it in this turn and in its promise jobs.
  setTimeout(() => watched.watched || report(error));
}

/** The same outcome, watched. */
export function watch<Value>(promise: Promise<Value>, report: (error: ClientError) => void): Promise<Value> {
  const watched = WatchedPromise.resolve(promise) as Promise<Value>;
  promise.catch((error: ClientError) => reportUnwatched(watched, error, report));
  return watched;
}

/** A call that failed at once. */
export function rejected(error: ClientError, report: (error: ClientError) => void): WatchedPromise<never> {
  const promise = WatchedPromise.reject(error) as WatchedPromise<never>;
  reportUnwatched(promise, error, report);
  return promise;
}
