/** What was thrown or rejected with, as the error that a session or connection ends with. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("something other than an Error was thrown", { cause: reason });
}
