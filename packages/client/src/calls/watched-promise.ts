import type { ClientError } from "../errors/index.ts";

/**
 * The promise of a call, which knows whether anybody holds it: `publish(...)` without `await` is how people write what
 * they do not want to wait for, and its failure must not end the process as an unhandled rejection.
 *
 * Whoever asks a promise for its outcome, by `await`, `then`, `catch` or `Promise.all`, looks at its `constructor` first.
 * That tells as much as a `then` of its own would, and spares `await` the promise and the two jobs that one costs.
 */
export class WatchedPromise<Value> extends Promise<Value> {
  /** Somebody has asked for its outcome. */
  watched: boolean;

  // Written out: engines are slower to make one that they make up themselves.
  constructor(executor: Executor<Value>) {
    super(executor);
    this.watched = false;
  }

  // biome-ignore lint/complexity/useLiteralKeys: the bare name is that of the function that makes one.
  override get ["constructor"](): PromiseConstructor {
    this.watched = true;
    // What `then` gives is a plain promise, which is its owner's business.
    return Promise;
  }
}

type Executor<Value> = ConstructorParameters<typeof Promise<Value>>[0];

/** A promise, for the caller, and what settles it. */
export interface Deferred<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: ClientError) => void;
}

export function deferred<Value>(): Deferred<Value> {
  return { promise: new WatchedPromise<Value>(capture), resolve: resolve as (value: Value) => void, reject };
}

let resolve: (value: never) => void;
let reject: (error: ClientError) => void;
/** One for all, which spares each call a function: it runs while the promise is being made, and is read right after. */
const capture = (resolveIt: (value: never) => void, rejectIt: (error: ClientError) => void): void => {
  resolve = resolveIt;
  reject = rejectIt;
};

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
