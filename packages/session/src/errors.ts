import { MqttError, type ProtocolVersion } from "@tidewire/codec";
import { IMPLEMENTATION_SPECIFIC_ERROR, PACKET_TOO_LARGE } from "./codes.ts";

/** Who is to blame: the caller (thrown), the peer, or the connection (both carried by `SessionEnd`). */
export type SessionErrorKind = "misuse" | "violation" | "link";

/** The error of this package. `code` is stable and for programs; the message never holds bytes of the peer. */
export class SessionError extends Error {
  override readonly name = "SessionError";
  readonly kind: SessionErrorKind;
  readonly code: string;
  /** The MQTT 5 reason code that names this failure. */
  readonly reasonCode: number;
  /** The normative statement that is broken, such as `MQTT-3.1.0-2`; undefined for an unnumbered rule. */
  readonly statement: string | undefined;

  /** Without a message, code and statement are all there is to say. */
  constructor(
    kind: SessionErrorKind,
    code: string,
    reasonCode: number,
    message?: string,
    options?: { readonly statement?: string | undefined; readonly cause?: unknown },
  ) {
    const statement = options?.statement;
    super(message ?? code.replaceAll("-", " ") + (statement === undefined ? "" : ` [${statement}]`), options);
    this.kind = kind;
    this.code = code;
    this.reasonCode = reasonCode;
    this.statement = statement;
  }
}

/** To be thrown at the caller; the session is as it was. */
export function misuse(code: string, message?: string): SessionError {
  return new SessionError("misuse", code, IMPLEMENTATION_SPECIFIC_ERROR, message);
}

/**
 * A way to break the protocol: its name, what MQTT 5 calls it on the wire, and the statements of MQTT 5.0 and of 3.1.1,
 * without their `MQTT-`, where they are numbered.
 */
export type Violation = readonly [
  code: string,
  reasonCode: number,
  statement5?: string | undefined,
  statement3?: string,
];

/** Of the peer that broke a rule, or of the caller that wants to. */
export function violationError(
  kind: "misuse" | "violation",
  [code, reasonCode, statement5, statement3]: Violation,
  version: ProtocolVersion,
): SessionError {
  const number = version === 5 ? statement5 : statement3;
  return new SessionError(kind, code, reasonCode, undefined, { statement: number && `MQTT-${number}` });
}

/** Throws when a request of the caller would break a rule. */
export function refuse(violation: Violation | undefined, version: ProtocolVersion): void {
  if (violation !== undefined) throw violationError("misuse", violation, version);
}

/** Is this the writer's answer to a packet above the peer's Maximum Packet Size? */
export function isTooLarge(error: unknown): boolean {
  return error instanceof MqttError && error.reasonCode === PACKET_TOO_LARGE;
}
