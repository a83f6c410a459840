/** Stable names of what can go wrong between an application and its broker. */
export type BrokerErrorCode =
  /** `start` was called twice. */
  | "already-started"
  /** The broker has not been started, or is closed. */
  | "not-running"
  /** A hook returned what none of its documented answers is; the client was refused. */
  | "hook-answer-invalid"
  /** A hook threw or rejected; the client was refused. The cause is what it threw. */
  | "hook-failed"
  /** A hook did not answer in time; the client was refused. */
  | "hook-timeout"
  /** There is no room for another retained message. */
  | "retained-full"
  /** The store cannot keep messages at the moment. */
  | "store-unavailable"
  /** An option is out of its range. */
  | "option-invalid";

/** The error of this package. `code` is for programs; the message says what was called, what is wrong and what to do. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
