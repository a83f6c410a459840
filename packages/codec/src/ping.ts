import { PacketType, type PingreqPacket, type PingrespPacket } from "./packets.ts";
import type { Sink } from "./sink.ts";

export function readPingreq(): PingreqPacket {
  return { type: PacketType.PINGREQ };
}

export function readPingresp(): PingrespPacket {
  return { type: PacketType.PINGRESP };
}

export function writePing(sink: Sink, packet: PingreqPacket | PingrespPacket): void {
  sink.begin(packet.type << 4);
  sink.end();
}
