import type { EncodedPacket, Packet, ProtocolVersion } from "./packets.ts";

export interface PacketWriterOptions {
  /** The version packets are written in. Default 4. A client's writer follows the CONNECT that it writes. */
  readonly version?: ProtocolVersion;
  /** What the peer said it takes: a longer packet is refused with `packet-too-large`. Default: the largest there is. */
  readonly maximumPacketSize?: number;
}

/**
 * Collects packets as bytes until they leave together. What `take` returned stays valid and unchanged, so that it may
 * wait in a socket; small packets share chunks, a payload above about 512 bytes becomes a chunk of its own.
 */
export interface PacketWriter {
  version: ProtocolVersion;
  maximumPacketSize: number;
  readonly pendingBytes: number;
  /** Throws `MqttError` on an invalid packet before any byte is written. */
  write(packet: Packet | EncodedPacket): void;
  /** Everything written since the last `take`, in order; empty when nothing was. */
  take(): readonly Uint8Array[];
}
