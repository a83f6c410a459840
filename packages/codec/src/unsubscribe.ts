import { UNSUBACK, UNSUBACK_BIT, UNSUBSCRIBE, UNSUBSCRIBE_BIT } from "./packet-types.ts";
import type { UnsubackPacket, UnsubscribePacket } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import { fail, filtersMissing, notInVersion } from "./rules.ts";
import type { Sink } from "./sink.ts";
import { readReasonCodes, writeReasonCodes } from "./subscribe.ts";
import { checkFilter } from "./topics.ts";
import { writeProperties } from "./write-properties.ts";

export function readUnsubscribe(reader: Reader): UnsubscribePacket {
  const packetId = reader.packetId();
  const properties = readProperties(reader, UNSUBSCRIBE_BIT);
  if (reader.pos === reader.end) fail(filtersMissing, reader);
  const filters: string[] = [];
  do {
    const filter = reader.string();
    checkFilter(filter, reader);
    filters.push(filter);
  } while (reader.pos < reader.end);
  return { type: UNSUBSCRIBE, packetId, filters, properties };
}

export function writeUnsubscribe(sink: Sink, packet: UnsubscribePacket): void {
  if (packet.filters.length === 0) fail(filtersMissing, sink);
  sink.begin((UNSUBSCRIBE << 4) | 2);
  sink.packetId(packet.packetId);
  writeProperties(sink, packet.properties, UNSUBSCRIBE_BIT);
  for (const filter of packet.filters) {
    sink.string(filter);
    checkFilter(filter, sink);
  }
  sink.end();
}

/** UNSUBACK has reason codes since MQTT 5; before, it ends behind the packet identifier. */
export function readUnsuback(reader: Reader): UnsubackPacket {
  const packetId = reader.packetId();
  const properties = readProperties(reader, UNSUBACK_BIT);
  const reasonCodes = reader.version === 5 ? readReasonCodes(reader, UNSUBACK) : [];
  return { type: UNSUBACK, packetId, reasonCodes, properties };
}

export function writeUnsuback(sink: Sink, packet: UnsubackPacket): void {
  sink.begin(UNSUBACK << 4);
  sink.packetId(packet.packetId);
  writeProperties(sink, packet.properties, UNSUBACK_BIT);
  if (sink.version === 5) writeReasonCodes(sink, packet.reasonCodes, UNSUBACK);
  else if (packet.reasonCodes.length > 0) fail(notInVersion, sink);
  sink.end();
}
