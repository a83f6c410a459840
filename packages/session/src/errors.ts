import type { ProtocolVersion } from "@tidewire/codec";

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

  constructor(
    kind: SessionErrorKind,
    code: string,
    reasonCode: number,
    message: string,
    options?: { readonly statement?: string | undefined; readonly cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.reasonCode = reasonCode;
    this.statement = options?.statement;
  }
}

/** To be thrown at the caller; the session is as it was. */
export function misuse(code: string, message: string, reasonCode = 0x83): SessionError {
  return new SessionError("misuse", code, reasonCode, message);
}

/** A way to break the protocol: its name, and what MQTT 5 says about it on the wire. */
export interface Violation {
  readonly code: string;
  readonly reasonCode: number;
  readonly message: string;
  /** Statement of MQTT 5.0. */
  readonly statement5?: string;
  /** Statement of MQTT 3.1.1. */
  readonly statement3?: string;
}

export function violationError(violation: Violation, version: ProtocolVersion): SessionError {
  const statement = version === 5 ? violation.statement5 : violation.statement3;
  return new SessionError("violation", violation.code, violation.reasonCode, violation.message, { statement });
}
