import { readReason, writeReason } from "./acks.ts";
import { AUTH, DISCONNECT } from "./packet-types.ts";
import type { AuthPacket, DisconnectPacket } from "./packets.ts";
import type { Reader } from "./reader.ts";
import { fail, methodMissing, packetUnexpected } from "./rules.ts";
import { SERVER_SIDE } from "./sides.ts";
import type { Sink } from "./sink.ts";

export function readDisconnect(reader: Reader): DisconnectPacket {
  // Before MQTT 5 a server just closes the connection.
  if (reader.version !== 5 && reader.sender === SERVER_SIDE) {
    fail(packetUnexpected, reader);
  }
  return readReason(reader, DISCONNECT);
}

export function writeDisconnect(sink: Sink, packet: DisconnectPacket): void {
  sink.begin(DISCONNECT << 4);
  writeReason(sink, packet);
}

/** AUTH names its authentication method, unless it is an empty success (MQTT 5.0, 3.15.2). */
export function readAuth(reader: Reader): AuthPacket {
  if (reader.version !== 5) {
    fail(packetUnexpected, reader);
  }
  const isEmpty = reader.pos === reader.end;
  const packet = readReason(reader, AUTH);
  if (!isEmpty && packet.properties?.authenticationMethod === undefined) {
    fail(methodMissing, reader);
  }
  return packet;
}

export function writeAuth(sink: Sink, packet: AuthPacket): void {
  if (sink.version !== 5) {
    fail(packetUnexpected, sink);
  }
  sink.begin(AUTH << 4);
  const isEmpty = !writeReason(sink, packet) && packet.reasonCode === 0;
  if (!isEmpty && packet.properties?.authenticationMethod === undefined) {
    fail(methodMissing, sink);
  }
}
