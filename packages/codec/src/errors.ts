import type { ProtocolVersion } from "./packets.ts";

/**
 * What errors about MQTT have in common, here and in the packages above. `code` is stable and for programs; the message is
 * for people and never holds bytes of the peer.
 */
export abstract class ProtocolError extends Error {
  readonly code: string;
  /** MQTT 5 reason code that names this failure on the wire, such as 0x81 Malformed Packet. */
  readonly reasonCode: number;
  /** The normative statement that is broken, such as `MQTT-2.2.1-3`; undefined for an unnumbered rule. */
  readonly statement: string | undefined;
  /**
   * Of the packet that is to blame, in what a decoder of `createDecoder` throws. Of a CONNECT in a version that is not
   * supported it is the nearest there is.
   */
  declare readonly version?: ProtocolVersion;
  /** As in `PacketType`; there as well. */
  declare readonly packetType?: number;

  /** Without a message, code and statement are all there is to say. */
  constructor(code: string, reasonCode: number, message?: string, options?: ProtocolErrorOptions) {
    const statement = options?.statement;
    super(message ?? code.replaceAll("-", " ") + (statement ? ` [${statement}]` : ""), options);
    this.code = code;
    this.reasonCode = reasonCode;
    this.statement = statement;
  }
}

export interface ProtocolErrorOptions {
  readonly statement?: string | undefined;
  readonly cause?: unknown;
}

/** The one error of this package: bytes that are not MQTT, or a packet that cannot be put on the wire. */
export class MqttError extends ProtocolError {
  override readonly name = "MqttError";
}
