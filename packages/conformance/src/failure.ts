export type ConformanceErrorCode =
  /** A case found behaviour that the specification does not allow. */
  | "case-failed"
  /** Received bytes are no MQTT packet. */
  | "bytes-malformed"
  /** The runner was asked for a case that it does not have. */
  | "case-unknown"
  /** The address of the server to be tested cannot be used. */
  | "target-invalid"
  /** The server to be tested did not answer in time. */
  | "target-unreachable"
  /** The command line makes no sense. */
  | "usage";

/** The error of this package. */
export class ConformanceError extends Error {
  override readonly name: string = "ConformanceError";
  readonly code: ConformanceErrorCode;

  constructor(code: ConformanceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A case found behaviour that the specification does not allow; the message says what should have been. */
export class ConformanceFailure extends ConformanceError {
  override readonly name = "ConformanceFailure";
  /** What was sent and received, one packet a line; empty where nothing was exchanged. */
  transcript = "";

  constructor(message: string, options?: ErrorOptions) {
    super("case-failed", message, options);
  }
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
