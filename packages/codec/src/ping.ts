import type { PingreqPacket, PingrespPacket } from "./packets.ts";
import type { Reader } from "./reader.ts";
import type { Sink } from "./sink.ts";

/** PINGREQ and PINGRESP are their fixed header alone. */
export function readPing<Type extends 12 | 13>(_reader: Reader, type: Type): { readonly type: Type } {
  return { type };
}

export function writePing(sink: Sink, packet: PingreqPacket | PingrespPacket): void {
  sink.begin(packet.type << 4);
  sink.end();
}
