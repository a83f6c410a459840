import { PacketType, type QoS, type SubackPacket, type SubscribePacket, type SubscriptionRequest } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import { checkReasonCode } from "./reason-codes.ts";
import {
  fail,
  noLocalOnShared,
  notInVersion,
  reasonCodesMissing,
  retainHandlingInvalid,
  subscriptionOptionsReserved,
  subscriptionQosInvalid,
  subscriptionsMissing,
} from "./rules.ts";
import type { Sink } from "./sink.ts";
import { checkFilterSyntax } from "./topics.ts";
import { writeProperties } from "./write-properties.ts";

const NO_LOCAL = 0x04;
const RETAIN_AS_PUBLISHED = 0x08;
const RESERVED = 0xc0;
/** What MQTT 3 leaves reserved of the options byte. */
const RESERVED_3 = 0xfc;

export function readSubscribe(reader: Reader): SubscribePacket {
  const packetId = reader.packetId();
  const properties = readProperties(reader, 1 << PacketType.SUBSCRIBE);
  if (reader.pos === reader.end) fail(subscriptionsMissing, reader.version);
  const subscriptions: SubscriptionRequest[] = [];
  do {
    subscriptions.push(readSubscription(reader));
  } while (reader.pos < reader.end);
  return { type: PacketType.SUBSCRIBE, packetId, subscriptions, properties };
}

export function writeSubscribe(sink: Sink, packet: SubscribePacket): void {
  if (packet.subscriptions.length === 0) fail(subscriptionsMissing, sink.version);
  sink.begin((PacketType.SUBSCRIBE << 4) | 2);
  sink.packetId(packet.packetId);
  writeProperties(sink, packet.properties, 1 << PacketType.SUBSCRIBE);
  for (const subscription of packet.subscriptions) writeSubscription(sink, subscription);
  sink.end();
}

export function readSuback(reader: Reader): SubackPacket {
  const packetId = reader.packetId();
  const properties = readProperties(reader, 1 << PacketType.SUBACK);
  return { type: PacketType.SUBACK, packetId, reasonCodes: readReasonCodes(reader, PacketType.SUBACK), properties };
}

export function writeSuback(sink: Sink, packet: SubackPacket): void {
  sink.begin(PacketType.SUBACK << 4);
  sink.packetId(packet.packetId);
  writeProperties(sink, packet.properties, 1 << PacketType.SUBACK);
  writeReasonCodes(sink, packet.reasonCodes, PacketType.SUBACK);
  sink.end();
}

/** One code a filter up to the end of SUBACK or UNSUBACK. */
export function readReasonCodes(reader: Reader, type: 9 | 11): number[] {
  if (reader.pos === reader.end) fail(reasonCodesMissing, reader.version);
  const codes: number[] = [];
  do {
    codes.push(checkReasonCode(reader.uint8(), type, reader.version, reader.sender));
  } while (reader.pos < reader.end);
  return codes;
}

export function writeReasonCodes(sink: Sink, codes: readonly number[], type: 9 | 11): void {
  if (codes.length === 0) fail(reasonCodesMissing, sink.version);
  for (const code of codes) sink.uint8(checkReasonCode(code, type, sink.version, 0));
}

function readSubscription(reader: Reader): SubscriptionRequest {
  const version = reader.version;
  const filter = reader.string();
  checkFilterSyntax(filter, version);
  const options = reader.uint8();
  const qos = options & 3;
  const noLocal = (options & NO_LOCAL) !== 0;
  const retainHandling = (options >> 4) & 3;
  if (options & (version === 5 ? RESERVED : RESERVED_3)) fail(subscriptionOptionsReserved, version);
  if (qos === 3) fail(subscriptionQosInvalid, version);
  if (retainHandling === 3) fail(retainHandlingInvalid, version);
  if (noLocal && filter.startsWith("$share/")) fail(noLocalOnShared, version);
  return {
    filter,
    qos: qos as QoS,
    noLocal,
    retainAsPublished: (options & RETAIN_AS_PUBLISHED) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}

function writeSubscription(sink: Sink, subscription: SubscriptionRequest): void {
  const { filter, qos, noLocal, retainAsPublished, retainHandling } = subscription;
  const version = sink.version;
  if (qos !== 0 && qos !== 1 && qos !== 2) fail(subscriptionQosInvalid, version);
  if (retainHandling !== 0 && retainHandling !== 1 && retainHandling !== 2) fail(retainHandlingInvalid, version);
  const options =
    qos | (noLocal ? NO_LOCAL : 0) | (retainAsPublished ? RETAIN_AS_PUBLISHED : 0) | (retainHandling << 4);
  if (version !== 5 && options !== qos) fail(notInVersion, version);
  sink.string(filter);
  checkFilterSyntax(filter, version);
  if (noLocal && filter.startsWith("$share/")) fail(noLocalOnShared, version);
  sink.uint8(options);
}
