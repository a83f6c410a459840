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

/** Why a connection is over, for whoever waited for it. */
export function endError({ kind, reasonCode, error }: ProtocolEnd): ClientError {
  const refused = kind === "remote";
  const text = refused
    ? `The server refused or ended the connection with reason code ${hex(reasonCode)}.`
    : "The connection ended.";
  return new ClientError(refused ? "refused" : "connection-lost", text, {
    cause: error,
    reasonCode: refused ? reasonCode : reasonCode || undefined,
  });
}
