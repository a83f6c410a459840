/** What was thrown or rejected with, as the error that a link ends with. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("something other than an Error was thrown", { cause: reason });
}

/**
 * Runs what must not stop whoever runs it: a callback of a timer, of the end of a turn, of a store or of an application.
 * What it throws, or rejects with if it gives back a promise, goes to `report`; what that throws is dropped, since
 * nobody is left to tell. Returns whether it ran to its end.
 */
export function guard(action: () => unknown, report: ((error: unknown) => void) | undefined): boolean {
  try {
    const result = action();
    if (isThenable(result)) {
      // Through a promise of our own: a thenable may throw, call back twice, or call back at once.
      void Promise.resolve(result).catch((reason: unknown) => tell(report, reason));
    }
    return true;
  } catch (error) {
    tell(report, error);
    return false;
  }
}

function tell(report: ((error: unknown) => void) | undefined, error: unknown): void {
  try {
    report?.(error);
  } catch {
    // Said above.
  }
}

function isThenable(result: unknown): result is PromiseLike<unknown> {
  return typeof result === "object" && result !== null && "then" in result;
}
