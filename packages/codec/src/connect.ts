import { BRIDGE, CLEAN_START, CONNECT_RESERVED, PASSWORD, USERNAME, WILL, WILL_QOS, WILL_RETAIN } from "./flags.ts";
import { CONNECT, CONNECT_BIT, WILL_BIT } from "./packet-types.ts";
import type { ConnectPacket, ProtocolVersion, QoS, Will } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import {
  connectFlagReserved,
  fail,
  failField,
  flagsInvalid,
  notInVersion,
  passwordAlone,
  versionUnsupported,
  willQosInvalid,
  willQosWithoutWill,
  willRetainWithoutWill,
} from "./rules.ts";
import { isQos, isUint16, type Sink } from "./sink.ts";
import { writeProperties } from "./write-properties.ts";

/** Reads CONNECT and leaves the reader in its version. */
export function readConnect(reader: Reader, _type: 1, headerFlags: number): ConnectPacket {
  const bridge = readVersion(reader);
  const { version } = reader;
  const flags = reader.uint8();
  const willQos = (flags & WILL_QOS) >> 3;
  // MQTT 3.1 has bits that are "not used", and disregards what is said of a will that is not there.
  if (version > 3) {
    checkFlags(reader, headerFlags, flags);
  }
  if (flags & WILL && willQos === 3) {
    fail(willQosInvalid, reader);
  }
  if (version < 5 && (flags & (PASSWORD | USERNAME)) === PASSWORD) {
    fail(passwordAlone, reader);
  }
  const keepAlive = reader.uint16();
  const properties = readProperties(reader, CONNECT_BIT);
  return {
    type: CONNECT,
    version,
    bridge,
    clientId: reader.string(),
    cleanStart: (flags & CLEAN_START) !== 0,
    keepAlive,
    will: flags & WILL ? readWill(reader, willQos as QoS, (flags & WILL_RETAIN) !== 0) : undefined,
    username: flags & USERNAME && mayFollow(reader) ? reader.string() : undefined,
    password: flags & PASSWORD && mayFollow(reader) ? reader.binary() : undefined,
    properties,
  };
}

/** Writes CONNECT in the version that it names and leaves the sink in it. */
export function writeConnect(sink: Sink, packet: ConnectPacket): void {
  const { version, bridge, will, username, password, keepAlive } = packet;
  const name = NAMES[version] ?? fail(versionUnsupported, sink);
  sink.version = version;
  if (version < 5 && password !== undefined && username === undefined) {
    fail(passwordAlone, sink);
  }
  if (will !== undefined && !isQos(will.qos)) {
    fail(willQosInvalid, sink);
  }
  if (bridge && version === 5) {
    fail(notInVersion, sink);
  }
  if (!isUint16(keepAlive)) {
    failField("a keepAlive");
  }
  sink.begin(CONNECT << 4);
  sink.string(name);
  sink.uint8(bridge ? version | BRIDGE : version);
  sink.uint8(
    (packet.cleanStart ? CLEAN_START : 0) |
      (will === undefined ? 0 : WILL | (will.qos << 3) | (will.retain ? WILL_RETAIN : 0)) |
      (password === undefined ? 0 : PASSWORD) |
      (username === undefined ? 0 : USERNAME),
  );
  sink.uint16(keepAlive);
  writeProperties(sink, packet.properties, CONNECT_BIT);
  sink.string(packet.clientId);
  if (will !== undefined) {
    writeProperties(sink, will.properties, WILL_BIT);
    sink.topicName(will.topic);
    sink.binary(will.payload);
  }
  if (username !== undefined) {
    sink.string(username);
  }
  if (password !== undefined) {
    sink.binary(password);
  }
  sink.end();
}

/** Protocol name by level. */
const NAMES: Readonly<Record<number, string>> = { 3: "MQIsdp", 4: "MQTT", 5: "MQTT" };

/** Reads protocol name and level, and tells whether that has the mark of a bridge. */
function readVersion(reader: Reader): boolean {
  const name = reader.string();
  const level = reader.uint8();
  const bridge = level === (3 | BRIDGE) || level === (4 | BRIDGE);
  const version = bridge ? level - BRIDGE : level;
  // Also of one that is not supported, so that the answer comes in a form that its client can read.
  reader.version = Math.max(3, Math.min(version, 5)) as ProtocolVersion;
  if (name !== NAMES[version]) {
    fail(versionUnsupported, reader, name === "MQTT" ? undefined : "3.1.2-1");
  }
  return bridge;
}

function checkFlags(reader: Reader, headerFlags: number, flags: number): void {
  if (headerFlags !== 0) {
    fail(flagsInvalid, reader);
  }
  if (flags & CONNECT_RESERVED) {
    fail(connectFlagReserved, reader);
  }
  if (flags & WILL) {
    return;
  }
  if ((flags & WILL_QOS) === WILL_QOS) {
    fail(willQosInvalid, reader);
  }
  if (flags & WILL_QOS) {
    fail(willQosWithoutWill, reader);
  }
  if (flags & WILL_RETAIN) {
    fail(willRetainWithoutWill, reader);
  }
}

/** In MQTT 3.1 the Remaining Length takes precedence over the flags of user name and password (3.1 there). */
function mayFollow(reader: Reader): boolean {
  return reader.version > 3 || reader.pos < reader.end;
}

function readWill(reader: Reader, qos: QoS, retain: boolean): Will {
  const properties = readProperties(reader, WILL_BIT);
  return { topic: reader.topicName(), payload: reader.binary(), qos, retain, properties };
}
