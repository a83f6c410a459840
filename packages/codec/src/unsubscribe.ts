import { PacketType, type UnsubackPacket, type UnsubscribePacket } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import { fail, filtersMissing, notInVersion } from "./rules.ts";
import type { Sink } from "./sink.ts";
import { readReasonCodes, writeReasonCodes } from "./subscribe.ts";
import { checkFilterSyntax } from "./topics.ts";
import { writeProperties } from "./write-properties.ts";

export function readUnsubscribe(reader: Reader): UnsubscribePacket {
  const packetId = reader.packetId();
  const properties = readProperties(reader, 1 << PacketType.UNSUBSCRIBE);
  if (reader.pos === reader.end) fail(filtersMissing, reader.version);
  const filters: string[] = [];
  do {
    const filter = reader.string();
    checkFilterSyntax(filter, reader.version);
    filters.push(filter);
  } while (reader.pos < reader.end);
  return { type: PacketType.UNSUBSCRIBE, packetId, filters, properties };
}

export function writeUnsubscribe(sink: Sink, packet: UnsubscribePacket): void {
  if (packet.filters.length === 0) fail(filtersMissing, sink.version);
  sink.begin((PacketType.UNSUBSCRIBE << 4) | 2);
  sink.packetId(packet.packetId);
  writeProperties(sink, packet.properties, 1 << PacketType.UNSUBSCRIBE);
  for (const filter of packet.filters) {
    sink.string(filter);
    checkFilterSyntax(filter, sink.version);
  }
  sink.end();
}

/** UNSUBACK has reason codes since MQTT 5; before, it ends behind the packet identifier. */
export function readUnsuback(reader: Reader): UnsubackPacket {
  const packetId = reader.packetId();
  const properties = readProperties(reader, 1 << PacketType.UNSUBACK);
  const reasonCodes = reader.version === 5 ? readReasonCodes(reader, PacketType.UNSUBACK) : [];
  return { type: PacketType.UNSUBACK, packetId, reasonCodes, properties };
}

export function writeUnsuback(sink: Sink, packet: UnsubackPacket): void {
  sink.begin(PacketType.UNSUBACK << 4);
  sink.packetId(packet.packetId);
  writeProperties(sink, packet.properties, 1 << PacketType.UNSUBACK);
  if (sink.version === 5) writeReasonCodes(sink, packet.reasonCodes, PacketType.UNSUBACK);
  else if (packet.reasonCodes.length > 0) fail(notInVersion, sink.version);
  sink.end();
}
