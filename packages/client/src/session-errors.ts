import type { SessionEnd } from "@tidewire/session";
import { ClientError } from "./errors.ts";

/** Reason codes of errors about what the server announced that it does not take. */
const serverLimits: readonly number[] = [0x95, 0x9a, 0x9b, 0x9e, 0xa1, 0xa2];

/** For a request that the session or the codec refused because CONNACK rules it out, else undefined. */
export function unsupportedByServer(cause: unknown): ClientError | undefined {
  const { reasonCode } = cause as { readonly reasonCode?: number };
  if (reasonCode === undefined || !serverLimits.includes(reasonCode)) return undefined;
  const text = "The server announced that it does not take this.";
  return new ClientError("not-supported-by-server", text, { cause, reasonCode });
}

/** For a request that no server would take. */
export function invalidArgument(cause: unknown): ClientError {
  return new ClientError("invalid-argument", cause instanceof Error ? cause.message : "An argument is not valid.", {
    cause,
  });
}

/** Why a connection is over, for whoever waited for it. */
export function endError(end: SessionEnd): ClientError {
  const { kind, reasonCode, error } = end;
  if (kind === "remote") {
    const text = `The server refused or ended the connection with code 0x${reasonCode.toString(16)}.`;
    return new ClientError("refused", text, { cause: error, reasonCode });
  }
  return new ClientError("connection-lost", "The connection ended.", {
    cause: error,
    reasonCode: reasonCode === 0 ? undefined : reasonCode,
  });
}
