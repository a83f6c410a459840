import { PUBREL } from "./packet-types.ts";
import type { AckPacket, Properties } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import { checkReasonCode } from "./reason-codes.ts";
import type { Sink } from "./sink.ts";
import { writeProperties } from "./write-properties.ts";

/** Reads PUBACK, PUBREC, PUBREL or PUBCOMP. */
export function readAck<Type extends AckPacket["type"]>(reader: Reader, type: Type): AckPacket<Type> {
  const packetId = reader.packetId();
  const { reasonCode, properties } = readReason(reader, type);
  return { type, packetId, reasonCode, properties };
}

/** Writes PUBACK, PUBREC, PUBREL or PUBCOMP. */
export function writeAck(sink: Sink, packet: AckPacket): void {
  sink.begin((packet.type << 4) | (packet.type === PUBREL ? 2 : 0));
  sink.packetId(packet.packetId);
  writeReason(sink, packet);
}

/** What acknowledgements, DISCONNECT and AUTH end in; MQTT 5 lets both be absent (3.4.2.1), MQTT 3 demands it. */
interface Reason {
  readonly reasonCode: number;
  readonly properties: Properties | undefined;
}

/** Writes the end of the packet in its shortest form. Tells whether it has properties. */
export function writeReason(sink: Sink, packet: Reason & { readonly type: number }): boolean {
  const { type, reasonCode, properties } = packet;
  checkReasonCode(reasonCode, type, sink);
  const from = sink.pos;
  if (sink.version === 5) {
    sink.uint8(reasonCode);
  }
  writeProperties(sink, properties, 1 << type);
  // More than a reason code and the length of no properties.
  const any = sink.pos > from + 2;
  if (!any) {
    sink.pos = from + (reasonCode === 0 ? 0 : 1);
  }
  sink.end();
  return any;
}

export function readReason<Type extends number>(reader: Reader, type: Type): Reason & { readonly type: Type } {
  const isThere = reader.version === 5 && reader.pos < reader.end;
  const reasonCode = checkReasonCode(isThere ? reader.uint8() : 0, type, reader);
  const properties = reader.pos < reader.end ? readProperties(reader, 1 << type) : undefined;
  return { type, reasonCode, properties };
}
