import { errorOf, MqttError, ProtocolError, type ProtocolVersion, type Rule } from "@tidewire/codec";
import { IMPLEMENTATION_SPECIFIC_ERROR, PACKET_TOO_LARGE } from "@tidewire/codec/codes";

/** Who is to blame: the caller (thrown), the peer, or the connection (both carried by `ProtocolEnd`). */
export type SessionErrorKind = "misuse" | "violation" | "link";

/** The error of this package. */
export class SessionError extends ProtocolError {
  override readonly name = "SessionError";
  readonly kind: SessionErrorKind;

  constructor(kind: SessionErrorKind, ...what: ConstructorParameters<typeof ProtocolError>) {
    super(...what);
    this.kind = kind;
  }
}

/** To be thrown at the caller; the protocol is as it was. */
export function misuse(code: string, message: string): SessionError {
  return new SessionError("misuse", code, IMPLEMENTATION_SPECIFIC_ERROR, message);
}

/** A rule that only a protocol can see broken. */
export type Violation = Rule;

/** Of the peer that broke a rule, or of the caller that wants to. */
export function violationError(
  kind: "misuse" | "violation",
  violation: Violation,
  version: ProtocolVersion,
): SessionError {
  return new SessionError(kind, ...errorOf(violation, version));
}

/** Throws when a request of the caller would break a rule. */
export function refuse(violation: Violation | undefined, version: ProtocolVersion): void {
  if (violation !== undefined) {
    throw violationError("misuse", violation, version);
  }
}

/** Is this the writer's answer to a packet above the peer's Maximum Packet Size? */
export function isTooLarge(error: unknown): error is MqttError {
  return error instanceof MqttError && error.reasonCode === PACKET_TOO_LARGE;
}
