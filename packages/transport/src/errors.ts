/** What went wrong below MQTT. `code` is stable. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly code: TransportErrorCode;
  /** HTTP status with which a WebSocket was refused, where the platform tells. */
  readonly status: number | undefined;
  constructor(
    code: TransportErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly status?: number },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.status = options?.status;
  }
}

export type TransportErrorCode =
  | "aborted"
  | "refused"
  | "unreachable"
  | "timeout"
  | "address-in-use"
  | "address-invalid"
  | "not-permitted"
  | "reset"
  | "tls-untrusted"
  | "tls-expired"
  | "tls-wrong-host"
  | "tls-client-certificate"
  | "tls-failed"
  | "tls-credentials"
  | "handshake-failed"
  | "subprotocol-refused"
  | "origin-refused"
  | "host-refused"
  | "path-refused"
  | "message-too-big"
  | "input-limit"
  | "text-frame"
  | "protocol"
  | "crowded"
  | "probe"
  | "callback-threw"
  | "misuse"
  | "closed";
