import { PINGREQ, PINGRESP } from "./packet-types.ts";
import type { PingreqPacket, PingrespPacket } from "./packets.ts";
import type { Sink } from "./sink.ts";

export function readPingreq(): PingreqPacket {
  return { type: PINGREQ };
}

export function readPingresp(): PingrespPacket {
  return { type: PINGRESP };
}

export function writePing(sink: Sink, packet: PingreqPacket | PingrespPacket): void {
  sink.begin(packet.type << 4);
  sink.end();
}
