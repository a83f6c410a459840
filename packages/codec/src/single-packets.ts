import { readAck, writeAck } from "./acks.ts";
import { encodeAlone } from "./chunk-writer.ts";
import { readConnack, writeConnack } from "./connack.ts";
import { readConnect, writeConnect } from "./connect.ts";
import { readAuth, readDisconnect, writeAuth, writeDisconnect } from "./disconnect.ts";
import {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from "./packet-types.ts";
import type {
  AuthPacket,
  ConnackPacket,
  ConnectPacket,
  DisconnectPacket,
  Packet,
  PingreqPacket,
  PingrespPacket,
  ProtocolVersion,
  PubackPacket,
  PubcompPacket,
  PublishPacket,
  PubrecPacket,
  PubrelPacket,
  SubackPacket,
  SubscribePacket,
  UnsubackPacket,
  UnsubscribePacket,
} from "./packets.ts";
import { readPing, writePing } from "./ping.ts";
import { readPublish, writePublish } from "./publish.ts";
import { decodeAlone, type PacketReader } from "./stream-decoder.ts";
import { readSubscribe, readSubscribeAck, writeSubscribe, writeSubscribeAck } from "./subscribe.ts";
import { readUnsubscribe, writeUnsubscribe } from "./unsubscribe.ts";

/*
 * One-shot functions of each packet type. A bundle carries only those it names. `encodeX` throws `MqttError` on an
 * invalid packet, `decodeX` on bytes that are not exactly one packet of its type.
 */

export function encodeConnect(packet: ConnectPacket): Uint8Array {
  return encodeAlone(writeConnect, packet, packet.version);
}

export function decodeConnect(bytes: Uint8Array): ConnectPacket {
  return decodeOnly(CONNECT, readConnect, bytes, 4);
}

export function encodeConnack(packet: ConnackPacket, version: ProtocolVersion): Uint8Array {
  return encodeAlone(writeConnack, packet, version);
}

export function decodeConnack(bytes: Uint8Array, version: ProtocolVersion): ConnackPacket {
  return decodeOnly(CONNACK, readConnack, bytes, version);
}

export function encodePublish(packet: PublishPacket, version: ProtocolVersion): Uint8Array {
  return encodeAlone(writePublish, packet, version);
}

export function decodePublish(bytes: Uint8Array, version: ProtocolVersion): PublishPacket {
  return decodeOnly(PUBLISH, readPublish, bytes, version);
}

export function encodePuback(packet: PubackPacket, version: ProtocolVersion): Uint8Array {
  return encodeAlone(writeAck, packet, version);
}

export function decodePuback(bytes: Uint8Array, version: ProtocolVersion): PubackPacket {
  return decodeOnly<PubackPacket>(PUBACK, readAck, bytes, version);
}

export function encodePubrec(packet: PubrecPacket, version: ProtocolVersion): Uint8Array {
  return encodeAlone(writeAck, packet, version);
}

export function decodePubrec(bytes: Uint8Array, version: ProtocolVersion): PubrecPacket {
  return decodeOnly<PubrecPacket>(PUBREC, readAck, bytes, version);
}

export function encodePubrel(packet: PubrelPacket, version: ProtocolVersion): Uint8Array {
  return encodeAlone(writeAck, packet, version);
}

export function decodePubrel(bytes: Uint8Array, version: ProtocolVersion): PubrelPacket {
  return decodeOnly<PubrelPacket>(PUBREL, readAck, bytes, version);
}

export function encodePubcomp(packet: PubcompPacket, version: ProtocolVersion): Uint8Array {
  return encodeAlone(writeAck, packet, version);
}

export function decodePubcomp(bytes: Uint8Array, version: ProtocolVersion): PubcompPacket {
  return decodeOnly<PubcompPacket>(PUBCOMP, readAck, bytes, version);
}

export function encodeSubscribe(packet: SubscribePacket, version: ProtocolVersion): Uint8Array {
  return encodeAlone(writeSubscribe, packet, version);
}

export function decodeSubscribe(bytes: Uint8Array, version: ProtocolVersion): SubscribePacket {
  return decodeOnly(SUBSCRIBE, readSubscribe, bytes, version);
}

export function encodeSuback(packet: SubackPacket, version: ProtocolVersion): Uint8Array {
  return encodeAlone(writeSubscribeAck, packet, version);
}

export function decodeSuback(bytes: Uint8Array, version: ProtocolVersion): SubackPacket {
  return decodeOnly<SubackPacket>(SUBACK, readSubscribeAck, bytes, version);
}

export function encodeUnsubscribe(packet: UnsubscribePacket, version: ProtocolVersion): Uint8Array {
  return encodeAlone(writeUnsubscribe, packet, version);
}

export function decodeUnsubscribe(bytes: Uint8Array, version: ProtocolVersion): UnsubscribePacket {
  return decodeOnly(UNSUBSCRIBE, readUnsubscribe, bytes, version);
}

export function encodeUnsuback(packet: UnsubackPacket, version: ProtocolVersion): Uint8Array {
  return encodeAlone(writeSubscribeAck, packet, version);
}

export function decodeUnsuback(bytes: Uint8Array, version: ProtocolVersion): UnsubackPacket {
  return decodeOnly<UnsubackPacket>(UNSUBACK, readSubscribeAck, bytes, version);
}

export function encodePingreq(): Uint8Array {
  return encodeAlone(writePing, { type: PINGREQ }, 4);
}

export function decodePingreq(bytes: Uint8Array): PingreqPacket {
  return decodeOnly<PingreqPacket>(PINGREQ, readPing, bytes, 4);
}

export function encodePingresp(): Uint8Array {
  return encodeAlone(writePing, { type: PINGRESP }, 4);
}

export function decodePingresp(bytes: Uint8Array): PingrespPacket {
  return decodeOnly<PingrespPacket>(PINGRESP, readPing, bytes, 4);
}

export function encodeDisconnect(packet: DisconnectPacket, version: ProtocolVersion): Uint8Array {
  return encodeAlone(writeDisconnect, packet, version);
}

export function decodeDisconnect(bytes: Uint8Array, version: ProtocolVersion): DisconnectPacket {
  return decodeOnly(DISCONNECT, readDisconnect, bytes, version);
}

export function encodeAuth(packet: AuthPacket): Uint8Array {
  return encodeAlone(writeAuth, packet, 5);
}

export function decodeAuth(bytes: Uint8Array): AuthPacket {
  return decodeOnly(AUTH, readAuth, bytes, 5);
}

function decodeOnly<P extends Packet>(
  type: P["type"],
  read: PacketReader<P>,
  bytes: Uint8Array,
  version: ProtocolVersion,
): P {
  const readers: PacketReader[] = [];
  readers[type] = read;
  return decodeAlone(readers, bytes, version) as P;
}
