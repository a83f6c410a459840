import { PacketType, type PublishPacket, type QoS } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import { dupOnQos0, fail, packetIdOnQos0, publishQosInvalid, topicEmpty } from "./rules.ts";
import type { Sink } from "./sink.ts";
import { writeProperties } from "./write-properties.ts";

const PUBLISH_BIT = 1 << PacketType.PUBLISH;
const RETAIN = 0x01;
const DUP = 0x08;

export function readPublish(reader: Reader, flags: number): PublishPacket {
  const version = reader.version;
  const qos = (flags >> 1) & 3;
  if (qos === 3) fail(publishQosInvalid, version);
  if (qos === 0 && flags & DUP) fail(dupOnQos0, version);
  const topic = reader.topicName(version === 5);
  const packetId = qos === 0 ? 0 : reader.packetId();
  const properties = version === 5 ? readProperties(reader, PUBLISH_BIT) : undefined;
  // Only a topic alias can stand for a missing name (MQTT 5.0, 3.3.2.3.4).
  if (topic === "" && properties?.topicAlias === undefined) fail(topicEmpty, version);
  return {
    type: PacketType.PUBLISH,
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
  const { qos, properties } = packet;
  const version = sink.version;
  if (qos !== 0 && qos !== 1 && qos !== 2) fail(publishQosInvalid, version);
  if (qos === 0 && packet.dup) fail(dupOnQos0, version);
  sink.begin((PacketType.PUBLISH << 4) | (packet.dup ? DUP : 0) | (qos << 1) | (packet.retain ? RETAIN : 0));
  sink.topicName(packet.topic, properties?.topicAlias !== undefined);
  if (qos !== 0) sink.packetId(packet.packetId);
  else if (packet.packetId !== 0) fail(packetIdOnQos0, version);
  if (version === 5 || properties !== undefined) writeProperties(sink, properties, PUBLISH_BIT);
  sink.end(packet.payload);
}
