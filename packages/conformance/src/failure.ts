/** A case found behaviour that the specification does not allow. */
export class ConformanceFailure extends Error {
  override readonly name: string = "ConformanceFailure";
  /** What was sent and received, one packet a line; empty where nothing was exchanged. */
  transcript = "";
}

/** Fails the case unless `condition` holds; `expectation` says what should have been. */
export function check(condition: boolean, expectation: string): asserts condition {
  if (!condition) {
    throw new ConformanceFailure(expectation);
  }
}

/** Fails the case unless both are the same when written as JSON (byte arrays as hex). */
export function checkEqual(actual: unknown, expected: unknown, subject: string): void {
  const seen = show(actual);
  const wanted = show(expected);
  if (seen !== wanted) {
    throw new ConformanceFailure(`${subject}: expected ${wanted}, got ${seen}`);
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    if (inner instanceof Uint8Array) {
      return `0x${hex(inner)}`;
    }
    return typeof inner === "bigint" ? `${inner}n` : inner;
  });
  return text === undefined ? String(value) : text;
}

/** Bytes as hexadecimal digits. */
export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    text += byte.toString(16).padStart(2, "0");
  }
  return text;
}
