/**
 * The one error of this package: bytes that are not MQTT, or a packet that cannot be put on the wire.
 * `code` is stable and for programs; the message is for people and never holds bytes of the peer.
 */
export class MqttError extends Error {
  override readonly name = "MqttError";
  readonly code: string;
  /** MQTT 5 reason code that names this failure on the wire, such as 0x81 Malformed Packet. */
  readonly reasonCode: number;
  /** The normative statement that is broken, such as `MQTT-2.2.1-3`; undefined for an unnumbered rule. */
  readonly statement: string | undefined;

  constructor(
    code: string,
    reasonCode: number,
    message: string,
    options?: { readonly statement?: string | undefined; readonly cause?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.reasonCode = reasonCode;
    this.statement = options?.statement;
  }
}
