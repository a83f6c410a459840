import { type AckPacket, PacketType } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import { checkReasonCode } from "./reason-codes.ts";
import type { Sink } from "./sink.ts";
import { isEmpty, writeProperties } from "./write-properties.ts";

export function readPuback(reader: Reader): AckPacket<4> {
  return readAck(reader, PacketType.PUBACK);
}

export function readPubrec(reader: Reader): AckPacket<5> {
  return readAck(reader, PacketType.PUBREC);
}

export function readPubrel(reader: Reader): AckPacket<6> {
  return readAck(reader, PacketType.PUBREL);
}

export function readPubcomp(reader: Reader): AckPacket<7> {
  return readAck(reader, PacketType.PUBCOMP);
}

/** Writes PUBACK, PUBREC, PUBREL or PUBCOMP; success without properties takes the short form (MQTT 5.0, 3.4.2.1). */
export function writeAck(sink: Sink, packet: AckPacket): void {
  const { type, reasonCode, properties } = packet;
  checkReasonCode(reasonCode, type, sink.version, 0);
  sink.begin((type << 4) | (type === PacketType.PUBREL ? 2 : 0));
  sink.packetId(packet.packetId);
  writeReason(sink, reasonCode, properties, 1 << type);
  sink.end();
}

/** Reason code and properties, both of which may be left out at the end of a packet. */
export function writeReason(
  sink: Sink,
  reasonCode: number,
  properties: AckPacket["properties"],
  packetBit: number,
): void {
  const empty = isEmpty(properties);
  if (reasonCode !== 0 || !empty) {
    sink.uint8(reasonCode);
    if (!empty) writeProperties(sink, properties, packetBit);
  }
}

function readAck<Type extends AckPacket["type"]>(reader: Reader, type: Type): AckPacket<Type> {
  const packetId = reader.packetId();
  if (reader.version !== 5 || reader.pos === reader.end)
    return { type, packetId, reasonCode: 0, properties: undefined };
  const reasonCode = checkReasonCode(reader.uint8(), type, 5, reader.sender);
  const properties = reader.pos === reader.end ? undefined : readProperties(reader, 1 << type);
  return { type, packetId, reasonCode, properties };
}
