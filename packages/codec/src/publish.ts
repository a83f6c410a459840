import { DUP, RETAIN } from "./flags.ts";
import { PUBLISH, PUBLISH_BIT } from "./packet-types.ts";
import type { PublishPacket, QoS } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import { dupOnQos0, fail, packetIdOnQos0, qosInvalid, topicEmpty } from "./rules.ts";
import { isQos, type Sink } from "./sink.ts";
import { writeProperties } from "./write-properties.ts";

export function readPublish(reader: Reader, type: 3, flags: number): PublishPacket {
  const qos = (flags >> 1) & 3;
  if (qos === 3) {
    fail(qosInvalid, reader);
  }
  if (qos === 0 && flags & DUP) {
    fail(dupOnQos0, reader);
  }
  const topic = reader.string(true);
  const packetId = qos === 0 ? 0 : reader.packetId();
  const properties = readProperties(reader, PUBLISH_BIT);
  // Only a topic alias can stand for a missing name (MQTT 5.0, 3.3.2.3.4).
  if (topic === "" && properties?.topicAlias === undefined) {
    fail(topicEmpty, reader);
  }
  return {
    type,
    topic,
    payload: reader.rest(),
    qos: qos as QoS,
    retain: (flags & RETAIN) !== 0,
    dup: (flags & DUP) !== 0,
    packetId,
    properties,
  };
}

export function writePublish(sink: Sink, packet: PublishPacket): void {
  const { topic, qos, dup, packetId, properties } = packet;
  if (!isQos(qos)) {
    fail(qosInvalid, sink);
  }
  if (qos === 0 && dup) {
    fail(dupOnQos0, sink);
  }
  if (qos === 0 && packetId !== 0) {
    fail(packetIdOnQos0, sink);
  }
  sink.begin((PUBLISH << 4) | (dup ? DUP : 0) | (qos << 1) | (packet.retain ? RETAIN : 0));
  if (topic === "" && properties?.topicAlias !== undefined) {
    sink.uint16(0);
  } else {
    sink.topicName(topic);
  }
  if (qos > 0) {
    sink.packetId(packetId);
  }
  if (properties !== undefined || sink.version === 5) {
    writeProperties(sink, properties, PUBLISH_BIT);
  }
  sink.end(packet.payload);
}
