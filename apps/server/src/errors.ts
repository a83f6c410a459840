/** Something the person at the keyboard can put right: shown as one line, with exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  /** `problem` says what is wrong and `remedy` what to do about it; neither ends in a full stop. */
  constructor(problem: string, remedy: string, options?: ErrorOptions) {
    super(`${problem}; ${remedy}`, options);
  }
}

/** The message of anything that was thrown, on one line. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s*\n\s*/g, " ");
}

/** The `code` that Node and Tidewire errors carry. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
