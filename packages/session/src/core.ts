import type { Packet, PacketWriter, ProtocolVersion, QoS } from "@tidewire/codec";
import type { PeerLimits } from "./limits.ts";
import type { ProtocolEnd, ProtocolHandler } from "./protocol.ts";

/** What the sending and the receiving half need of the protocol they belong to. */
export interface Core {
  readonly version: ProtocolVersion;
  readonly end: ProtocolEnd | undefined;
  readonly handler: ProtocolHandler;
  readonly peer: PeerLimits;
  readonly sendMaximum: number;
  readonly writer: PacketWriter;
  /**
   * Writes a packet that is owed, any but PUBLISH, without the parts that the peer does not want or cannot take. False: it
   * takes no packet of this size, and the connection has ended.
   */
  write(packet: Packet, now: number): boolean;
  /** A PUBLISH was written. */
  sent(qos: QoS, now: number): void;
}
