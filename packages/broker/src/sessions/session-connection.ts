import type { EncodedPacket, QoS } from "@tidewire/codec";
import type { Delivery, IncomingPublication } from "../messages/index.ts";
import type { RouteTarget } from "../routing/index.ts";

/** The connection that a session has at the moment, as far as sessions know it. */
export interface SessionConnection {
  /** Whether a message would leave at once: room on the way, and in the client's window. */
  canSend(qos: QoS): boolean;
  /** Whether this client gets the bytes that others get: no identifiers and no topic aliases of its own. */
  encodes(target: RouteTarget): boolean;
  /** The common case, without an object for it. */
  sendQoS0(publication: IncomingPublication, encoded: EncodedPacket): void;
  send(delivery: Delivery, encoded: EncodedPacket | undefined): void;
  /** Ends the connection; MQTT 5 clients are told the reason code, the operator `why`: a sentence about the client. */
  disconnect(reasonCode: number, why: string): void;
  /** Ends the connection over a failure of this side. */
  fail(error: unknown): void;
}
