import type { Properties } from "@tidewire/codec";
import { SESSION_TAKEN_OVER, UNSUPPORTED_PROTOCOL_VERSION } from "@tidewire/codec/codes";
import type { ProtocolEnd } from "@tidewire/session";
import { ClientError } from "./client-error.ts";

/** Reason codes of errors about what the server announced that it does not take. */
const serverLimits: readonly number[] = [0x95, 0x9a, 0x9b, 0x9e, 0xa1, 0xa2];

/** For a request that was refused before it was sent: CONNACK rules it out, or no server would take it. */
export function requestError(cause: unknown): ClientError {
  if (cause instanceof ClientError) {
    return cause;
  }
  const { reasonCode } = cause as { readonly reasonCode?: number };
  if (reasonCode === undefined || !serverLimits.includes(reasonCode)) {
    return invalidArgument(cause);
  }
  const text = "The server announced that it does not take this; `cause` says what exactly.";
  return new ClientError("not-supported-by-server", text, { cause, reasonCode });
}

/** For a request that no server would take. */
export function invalidArgument(cause: unknown): ClientError {
  const text = cause instanceof Error ? cause.message : "An argument is not valid.";
  return new ClientError("invalid-argument", text, { cause });
}

/** A reason code as the specification writes it. */
export function hex(reasonCode: number): string {
  return `0x${reasonCode.toString(16).padStart(2, "0")}`;
}

/** For what the server said in CONNACK or DISCONNECT: `packet`, when it is at hand. */
export function refusedError(
  reasonCode: number,
  packet?: { readonly properties?: Properties | undefined },
  cause?: unknown,
): ClientError {
  const text =
    reasonCode === UNSUPPORTED_PROTOCOL_VERSION
      ? "The server does not speak this version of MQTT: for 3.1.1 set protocolVersion: 4."
      : `The server refused or ended the connection with reason code ${hex(reasonCode)}.`;
  return new ClientError(reasonCode === SESSION_TAKEN_OVER ? "taken-over" : "refused", text, {
    reasonCode,
    cause,
    ...packet?.properties,
  });
}

/**
 * Why a connection is over before the server has accepted. A server that speaks 3.1.1 alone answers CONNECT of MQTT 5 with
 * a CONNACK of its own, which is too short for one of MQTT 5, or has a return code where a reason code would be.
 */
export function handshakeError(end: ProtocolEnd, version: number): ClientError {
  const code = (end.error as { readonly code?: unknown } | undefined)?.code;
  const older = version === 5 && (code === "packet-truncated" || code === "reason-code-invalid");
  return older ? refusedError(UNSUPPORTED_PROTOCOL_VERSION, undefined, end.error) : endError(end);
}

/** Why a connection is over, for whoever waited for it. */
export function endError({ kind, reasonCode, error }: ProtocolEnd): ClientError {
  return kind === "remote"
    ? refusedError(reasonCode, undefined, error)
    : new ClientError("connection-lost", "The connection ended.", {
        cause: error,
        reasonCode: reasonCode || undefined,
      });
}
