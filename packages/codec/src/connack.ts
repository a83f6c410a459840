import { CONNACK, CONNACK_BIT } from "./packet-types.ts";
import type { ConnackPacket } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import { checkReasonCode } from "./reason-codes.ts";
import { connackFlagsReserved, fail, sessionPresentOnFailure } from "./rules.ts";
import type { Sink } from "./sink.ts";
import { writeProperties } from "./write-properties.ts";

export function readConnack(reader: Reader): ConnackPacket {
  // MQTT 3.1 does not use this byte.
  const flags = reader.uint8() & (reader.version === 3 ? 0 : 0xff);
  if (flags > 1) {
    fail(connackFlagsReserved, reader);
  }
  const sessionPresent = flags === 1;
  const reasonCode = checkReasonCode(reader.uint8(), CONNACK, reader);
  if (sessionPresent && reasonCode !== 0) {
    fail(sessionPresentOnFailure, reader);
  }
  return {
    type: CONNACK,
    sessionPresent,
    reasonCode,
    properties: readProperties(reader, CONNACK_BIT),
  };
}

export function writeConnack(sink: Sink, packet: ConnackPacket): void {
  const { sessionPresent, reasonCode } = packet;
  checkReasonCode(reasonCode, CONNACK, sink);
  if (sessionPresent && reasonCode !== 0) {
    fail(sessionPresentOnFailure, sink);
  }
  sink.begin(CONNACK << 4);
  sink.uint8(sessionPresent ? 1 : 0);
  sink.uint8(reasonCode);
  writeProperties(sink, packet.properties, CONNACK_BIT);
  sink.end();
}
