export type MockNetworkErrorCode =
  /** Callbacks went on causing callbacks for longer than any test means to wait. */
  | "not-quiet"
  /** Something happened on the network where nothing should have. */
  | "unexpected-io"
  /** Bytes were sent that nobody received. */
  | "not-delivered"
  /** A connection was left open. */
  | "left-open";

/** What the mock network finds wrong; the connections themselves end with a `TransportError`. */
export class MockNetworkError extends Error {
  override readonly name = "MockNetworkError";
  readonly code: MockNetworkErrorCode;

  constructor(code: MockNetworkErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
