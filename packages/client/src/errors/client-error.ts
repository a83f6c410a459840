/** What a `ClientError` is about. Stable; for programs. */
export type ClientErrorCode =
  /** `close()` was called, or a fatal refusal ended the client. */
  | "closed"
  /** The caller's `AbortSignal` fired. */
  | "aborted"
  /** `timeoutMs` or `connectTimeoutMs` ran out. */
  | "timeout"
  /** An argument breaks the specification; nothing was sent. */
  | "invalid-argument"
  /** The server's CONNACK rules this call out (QoS, retain, packet size, wildcard or shared filters); nothing was sent. */
  | "not-supported-by-server"
  /** The call needs MQTT 5. */
  | "needs-mqtt-5"
  /** The server refused the connection or ended it; `reasonCode` says why. */
  | "refused"
  /** The connection was lost, or could not be made. */
  | "connection-lost"
  /** The server answered a publish with an error; see `reasonCode`. */
  | "publish-refused"
  /** The server answered every filter of a subscribe or unsubscribe with an error; see `reasonCode`. */
  | "subscribe-refused"
  /** The queue of waiting messages is full and its policy refuses new ones. */
  | "queue-full"
  /** The Message Expiry Interval passed before the message could be sent. */
  | "message-expired"
  /** The server forgot the session while the message was in flight, and `sessionLost` is "reject". */
  | "session-lost"
  /** The payload is not what its decoder or schema expects. */
  | "payload-invalid"
  /** Reported only: a listener or message callback threw; `cause` is what it threw. */
  | "handler-failed"
  /** Reported only: QoS 0 messages were discarded because a subscription's buffer was full. */
  | "buffer-overflow"
  /** Reported only: messages of a resumed session that no subscription claimed were acknowledged and discarded. */
  | "message-unclaimed"
  /** The store failed; `cause` is its error. */
  | "store-failed"
  /** Another tab or worker holds this client id. */
  | "client-id-in-use";

/** The error of this package. The message is for people and never holds bytes that came from the server. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;
  /** MQTT 5 reason code (a 3.x return code as the MQTT 5 code of that meaning); undefined when none was involved. */
  readonly reasonCode: number | undefined;

  constructor(
    code: ClientErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly reasonCode?: number | undefined },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.reasonCode = options?.reasonCode;
  }
}

/** For calls on a client that has ended. */
export function closedError(): ClientError {
  return new ClientError("closed", "The client is closed for good: make a new one.");
}

/** The error with the call that it ends in front: `publish("a/b"): The client is closed ...`. */
export function callError(name: string, argument: unknown, error: ClientError): ClientError {
  const { code, cause, reasonCode } = error;
  const text = argument === undefined ? "" : JSON.stringify(argument);
  return new ClientError(code, `${name}(${text}): ${error.message}`, { cause, reasonCode });
}
