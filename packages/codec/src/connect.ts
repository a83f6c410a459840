import { type ConnectPacket, PacketType, type ProtocolVersion, type QoS, type Will } from "./packets.ts";
import { WILL_BIT } from "./properties.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import {
  connectFlagReserved,
  fail,
  fieldInvalid,
  passwordWithoutUsername,
  protocolUnsupported,
  willQosInvalid,
  willQosWithoutWill,
  willRetainWithoutWill,
} from "./rules.ts";
import type { Sink } from "./sink.ts";
import { writeProperties } from "./write-properties.ts";

const CONNECT_BIT = 1 << PacketType.CONNECT;
const RESERVED = 0x01;
const CLEAN_START = 0x02;
const WILL = 0x04;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USERNAME = 0x80;

/** Reads CONNECT and leaves the reader in its version. */
export function readConnect(reader: Reader): ConnectPacket {
  const version = readVersion(reader);
  const flags = reader.uint8();
  const hasWill = (flags & WILL) !== 0;
  const willQos = (flags >> 3) & 3;
  if (flags & RESERVED) fail(connectFlagReserved, version);
  if (willQos === 3) fail(willQosInvalid, version);
  if (!hasWill && willQos > 0) fail(willQosWithoutWill, version);
  if (!hasWill && flags & WILL_RETAIN) fail(willRetainWithoutWill, version);
  if (version < 5 && (flags & (PASSWORD | USERNAME)) === PASSWORD) fail(passwordWithoutUsername, version);
  const keepAlive = reader.uint16();
  const properties = readProperties(reader, CONNECT_BIT);
  const clientId = reader.string();
  const will = hasWill ? readWill(reader, willQos as QoS, (flags & WILL_RETAIN) !== 0) : undefined;
  return {
    type: PacketType.CONNECT,
    version,
    clientId,
    cleanStart: (flags & CLEAN_START) !== 0,
    keepAlive,
    will,
    username: flags & USERNAME ? reader.string() : undefined,
    password: flags & PASSWORD ? reader.binary() : undefined,
    properties,
  };
}

/** Writes CONNECT in the version that it names and leaves the sink in it. */
export function writeConnect(sink: Sink, packet: ConnectPacket): void {
  const { version, will, username, password } = packet;
  if (version !== 3 && version !== 4 && version !== 5) fail(protocolUnsupported, 5);
  sink.version = version;
  if (version < 5 && password !== undefined && username === undefined) fail(passwordWithoutUsername, version);
  if (will !== undefined && (will.qos >>> 0 !== will.qos || will.qos > 2)) fail(willQosInvalid, version);
  sink.begin(PacketType.CONNECT << 4);
  sink.string(version === 3 ? "MQIsdp" : "MQTT");
  sink.uint8(version);
  sink.uint8(
    (packet.cleanStart ? CLEAN_START : 0) |
      (will === undefined ? 0 : WILL | (will.qos << 3) | (will.retain ? WILL_RETAIN : 0)) |
      (password === undefined ? 0 : PASSWORD) |
      (username === undefined ? 0 : USERNAME),
  );
  const keepAlive = packet.keepAlive;
  if (!(keepAlive >= 0 && keepAlive <= 0xffff && keepAlive === (keepAlive | 0))) fail(fieldInvalid, version);
  sink.uint16(keepAlive);
  writeProperties(sink, packet.properties, CONNECT_BIT);
  sink.string(packet.clientId);
  if (will !== undefined) {
    writeProperties(sink, will.properties, WILL_BIT);
    sink.topicName(will.topic, false);
    sink.binary(will.payload);
  }
  if (username !== undefined) sink.string(username);
  if (password !== undefined) sink.binary(password);
  sink.end();
}

function readVersion(reader: Reader): ProtocolVersion {
  const name = reader.string();
  const level = reader.uint8();
  const known = name === "MQTT" ? level === 4 || level === 5 : name === "MQIsdp" && level === 3;
  if (!known) fail(protocolUnsupported, 5, name === "MQTT" ? undefined : "MQTT-3.1.2-1");
  reader.version = level as ProtocolVersion;
  return reader.version;
}

function readWill(reader: Reader, qos: QoS, retain: boolean): Will {
  const properties = readProperties(reader, WILL_BIT);
  const topic = reader.topicName(false);
  return { topic, payload: reader.binary(), qos, retain, properties };
}
