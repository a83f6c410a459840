import { writeReason } from "./acks.ts";
import { type AuthPacket, type DisconnectPacket, PacketType } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import { checkReasonCode } from "./reason-codes.ts";
import { authenticationMethodMissing, fail, packetTypeInvalid, packetUnexpected } from "./rules.ts";
import type { Sink } from "./sink.ts";

const DISCONNECT_BIT = 1 << PacketType.DISCONNECT;
const AUTH_BIT = 1 << PacketType.AUTH;

export function readDisconnect(reader: Reader): DisconnectPacket {
  const type = PacketType.DISCONNECT;
  // Before MQTT 5 a server just closes the connection.
  if (reader.version !== 5 && reader.sender === 2) fail(packetUnexpected, reader.version);
  if (reader.version !== 5 || reader.pos === reader.end) return { type, reasonCode: 0, properties: undefined };
  const reasonCode = checkReasonCode(reader.uint8(), type, 5, reader.sender);
  const properties = reader.pos === reader.end ? undefined : readProperties(reader, DISCONNECT_BIT);
  return { type, reasonCode, properties };
}

export function writeDisconnect(sink: Sink, packet: DisconnectPacket): void {
  const { reasonCode, properties } = packet;
  checkReasonCode(reasonCode, PacketType.DISCONNECT, sink.version, 0);
  sink.begin(PacketType.DISCONNECT << 4);
  writeReason(sink, reasonCode, properties, DISCONNECT_BIT);
  sink.end();
}

/** Without reason code and properties AUTH means success; all others name the authentication method (3.15.2). */
export function readAuth(reader: Reader): AuthPacket {
  const type = PacketType.AUTH;
  if (reader.version !== 5) fail(packetTypeInvalid, reader.version);
  const short = reader.pos === reader.end;
  const reasonCode = checkReasonCode(short ? 0 : reader.uint8(), type, 5, reader.sender);
  if (short) return { type, reasonCode, properties: undefined };
  const properties = readProperties(reader, AUTH_BIT);
  if (properties?.authenticationMethod === undefined) fail(authenticationMethodMissing, 5);
  return { type, reasonCode, properties };
}

export function writeAuth(sink: Sink, packet: AuthPacket): void {
  const { reasonCode, properties } = packet;
  if (sink.version !== 5) fail(packetTypeInvalid, sink.version);
  checkReasonCode(reasonCode, PacketType.AUTH, 5, 0);
  sink.begin(PacketType.AUTH << 4);
  writeReason(sink, reasonCode, properties, AUTH_BIT);
  // All but the empty success name the method.
  if (sink.length > 2 && properties?.authenticationMethod === undefined) fail(authenticationMethodMissing, 5);
  sink.end();
}
