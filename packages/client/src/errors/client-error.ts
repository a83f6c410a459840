import type { Properties } from "@tidewire/codec";

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
  /** Another connection of this client id has taken the place of this one. */
  | "taken-over"
  /** The server sends a packet above `limits.maximumPacketSize` on each connection (MQTT 3.1.1 has no way to say so). */
  | "message-too-large"
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
  /** Reported only, once: the server sends more unacknowledged messages than it was told to. */
  | "receive-maximum-exceeded"
  /** The store failed; `cause` is its error. */
  | "store-failed"
  /** Another tab or worker holds this client id. */
  | "client-id-in-use";

/** What a `ClientError` carries besides its code; properties of the server's packet can be given as they are. */
export interface ClientErrorDetails {
  readonly reasonString?: Properties["reasonString"] | undefined;
  readonly userProperties?: Properties["userProperties"] | undefined;
  readonly cause?: unknown;
  readonly reasonCode?: number | undefined;
  readonly httpStatus?: number | undefined;
}

/** The error of this package. The message is for people and never holds bytes that came from the server. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;
  /** MQTT 5 reason code (a 3.x return code as the MQTT 5 code of that meaning); undefined when none was involved. */
  readonly reasonCode: number | undefined;
  /** HTTP status of a refused upgrade, where the platform tells: in Node. */
  readonly httpStatus: number | undefined;
  /** The server's own words about it, for people (MQTT 5). */
  readonly reasonString: string | undefined;
  /** User properties that came with it (MQTT 5). */
  readonly userProperties: ClientErrorDetails["userProperties"];

  constructor(code: ClientErrorCode, message: string, details: ClientErrorDetails = {}) {
    const { cause, reasonCode, httpStatus, reasonString, userProperties } = details;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.reasonCode = reasonCode;
    this.httpStatus = httpStatus;
    this.reasonString = reasonString;
    this.userProperties = userProperties;
  }
}

/** For calls on a client that has ended. */
export function closedError(): ClientError {
  return new ClientError("closed", "The client is closed for good: make a new one.");
}

/** The error with the call that it ends in front: `publish("a/b"): The client is closed ...`. */
export function callError(name: string, argument: unknown, error: ClientError): ClientError {
  const text = argument === undefined ? "" : JSON.stringify(argument);
  return new ClientError(error.code, `${name}(${text}): ${error.message}`, error);
}
