/** Both may be given on every call. */
export interface OperationOptions {
  /** Rejects with `aborted`; what was not sent yet is withdrawn. */
  readonly signal?: AbortSignal;
  /** Rejects with `timeout`; what was not sent yet is withdrawn. */
  readonly timeoutMs?: number;
}
