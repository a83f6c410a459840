import { MAXIMUM_REPETITIONS } from "./limits.ts";
import { UNSUBSCRIBE, UNSUBSCRIBE_BIT } from "./packet-types.ts";
import type { UnsubscribePacket } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import { fail, filtersMissing, packetTooLarge } from "./rules.ts";
import type { Sink } from "./sink.ts";
import { checkFilter } from "./topics.ts";
import { writeProperties } from "./write-properties.ts";

export function readUnsubscribe(reader: Reader): UnsubscribePacket {
  const packetId = reader.packetId();
  const properties = readProperties(reader, UNSUBSCRIBE_BIT);
  const filters: string[] = [];
  while (reader.pos < reader.end) {
    const filter = reader.string();
    checkFilter(filter, reader);
    if (filters.push(filter) > MAXIMUM_REPETITIONS) {
      fail(packetTooLarge, reader);
    }
  }
  if (filters.length === 0) {
    fail(filtersMissing, reader);
  }
  return { type: UNSUBSCRIBE, packetId, filters, properties };
}

export function writeUnsubscribe(sink: Sink, packet: UnsubscribePacket): void {
  if (packet.filters.length === 0) {
    fail(filtersMissing, sink);
  }
  sink.begin((UNSUBSCRIBE << 4) | 2);
  sink.packetId(packet.packetId);
  writeProperties(sink, packet.properties, UNSUBSCRIBE_BIT);
  for (const filter of packet.filters) {
    sink.string(filter);
    checkFilter(filter, sink);
  }
  sink.end();
}
