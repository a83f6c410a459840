import { TransportError, type TransportErrorCode } from "@tidewire/transport";

/** Why a WebSocket closed, when it did not close in order; undefined when it did. */
export function closeError(code: number): TransportError | undefined {
  if (code === 1000 || code === 1001 || code === 1005) {
    return undefined;
  }
  const [name, text] = problems[code] ?? ["closed", "The peer closed"];
  return new TransportError(name, `${text} (${code}).`);
}

/** By the codes of RFC 6455, 7.4.1. */
const problems: { readonly [code: number]: readonly [TransportErrorCode, string] } = {
  1002: ["protocol", "The peer found a protocol error"],
  1003: ["text-frame", "The peer takes binary messages only"],
  1006: ["reset", "The connection ended without a closing handshake"],
  1009: ["message-too-big", "A message was too big for the peer"],
};
