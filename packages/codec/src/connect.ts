import { CLEAN_START, CONNECT_RESERVED, PASSWORD, USERNAME, WILL, WILL_QOS, WILL_RETAIN } from "./flags.ts";
import { CONNECT, CONNECT_BIT, WILL_BIT } from "./packet-types.ts";
import type { ConnectPacket, ProtocolVersion, QoS, Will } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import {
  connectFlagReserved,
  fail,
  fieldInvalid,
  passwordAlone,
  versionUnsupported,
  willQosInvalid,
  willQosWithoutWill,
  willRetainWithoutWill,
} from "./rules.ts";
import { isQos, isUint16, type Sink } from "./sink.ts";
import { writeProperties } from "./write-properties.ts";

/** Reads CONNECT and leaves the reader in its version. */
export function readConnect(reader: Reader): ConnectPacket {
  const version = readVersion(reader);
  const flags = reader.uint8();
  const willQos = (flags & WILL_QOS) >> 3;
  if (flags & CONNECT_RESERVED) {
    fail(connectFlagReserved, reader);
  }
  if (willQos === 3) {
    fail(willQosInvalid, reader);
  }
  if (!(flags & WILL)) {
    if (willQos > 0) {
      fail(willQosWithoutWill, reader);
    }
    if (flags & WILL_RETAIN) {
      fail(willRetainWithoutWill, reader);
    }
  }
  if (version < 5 && (flags & (PASSWORD | USERNAME)) === PASSWORD) {
    fail(passwordAlone, reader);
  }
  const keepAlive = reader.uint16();
  const properties = readProperties(reader, CONNECT_BIT);
  return {
    type: CONNECT,
    version,
    clientId: reader.string(),
    cleanStart: (flags & CLEAN_START) !== 0,
    keepAlive,
    will: flags & WILL ? readWill(reader, willQos as QoS, (flags & WILL_RETAIN) !== 0) : undefined,
    username: flags & USERNAME ? reader.string() : undefined,
    password: flags & PASSWORD ? reader.binary() : undefined,
    properties,
  };
}

/** Writes CONNECT in the version that it names and leaves the sink in it. */
export function writeConnect(sink: Sink, packet: ConnectPacket): void {
  const { version, will, username, password, keepAlive } = packet;
  const name = NAMES[version] ?? fail(versionUnsupported, sink);
  sink.version = version;
  if (version < 5 && password !== undefined && username === undefined) {
    fail(passwordAlone, sink);
  }
  if (will !== undefined && !isQos(will.qos)) {
    fail(willQosInvalid, sink);
  }
  if (!isUint16(keepAlive)) {
    fail(fieldInvalid, sink);
  }
  sink.begin(CONNECT << 4);
  sink.string(name);
  sink.uint8(version);
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

function readVersion(reader: Reader): ProtocolVersion {
  const name = reader.string();
  const level = reader.uint8();
  if (name !== NAMES[level]) {
    fail(versionUnsupported, reader, name === "MQTT" ? undefined : "3.1.2-1");
  }
  reader.version = level as ProtocolVersion;
  return reader.version;
}

function readWill(reader: Reader, qos: QoS, retain: boolean): Will {
  const properties = readProperties(reader, WILL_BIT);
  return { topic: reader.topicName(), payload: reader.binary(), qos, retain, properties };
}
