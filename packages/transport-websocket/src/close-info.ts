import { TransportError } from "@tidewire/transport";

/** Why a WebSocket closed, when it did not close in order; undefined when it did. */
export function closeError(code: number): TransportError | undefined {
  switch (code) {
    case 1000:
    case 1001:
    case 1005:
      return undefined;
    case 1002:
      return new TransportError("protocol", "The peer found a protocol error (1002).");
    case 1003:
      return new TransportError("text-frame", "The peer takes binary messages only (1003).");
    case 1006:
      return new TransportError("reset", "The connection ended without a closing handshake (1006).");
    case 1009:
      return new TransportError("message-too-big", "A message was too big for the peer (1009).");
    default:
      return new TransportError("closed", `The peer closed with code ${code}.`);
  }
}
