import { NO_LOCAL, OPTIONS_RESERVED, OPTIONS_RESERVED_3, RETAIN_AS_PUBLISHED } from "./flags.ts";
import { MAXIMUM_REPETITIONS } from "./limits.ts";
import { SUBACK, SUBSCRIBE, SUBSCRIBE_BIT } from "./packet-types.ts";
import type { QoS, SubackPacket, SubscribePacket, SubscriptionRequest } from "./packets.ts";
import { readProperties } from "./read-properties.ts";
import type { Reader } from "./reader.ts";
import { checkReasonCode } from "./reason-codes.ts";
import {
  fail,
  noLocalOnShared,
  notInVersion,
  optionsReserved,
  packetTooLarge,
  reasonCodesMissing,
  requestedQosInvalid,
  retainHandlingInvalid,
  subscriptionsMissing,
} from "./rules.ts";
import { isQos, type Sink } from "./sink.ts";
import { checkFilter, isSharedFilter } from "./topics.ts";
import { writeProperties } from "./write-properties.ts";

export function readSubscribe(reader: Reader): SubscribePacket {
  const packetId = reader.packetId();
  const properties = readProperties(reader, SUBSCRIBE_BIT);
  const subscriptions: SubscriptionRequest[] = [];
  while (reader.pos < reader.end) {
    if (subscriptions.push(readSubscription(reader)) > MAXIMUM_REPETITIONS) {
      fail(packetTooLarge, reader);
    }
  }
  if (subscriptions.length === 0) {
    fail(subscriptionsMissing, reader);
  }
  return { type: SUBSCRIBE, packetId, subscriptions, properties };
}

export function writeSubscribe(sink: Sink, packet: SubscribePacket): void {
  if (packet.subscriptions.length === 0) {
    fail(subscriptionsMissing, sink);
  }
  sink.begin((SUBSCRIBE << 4) | 2);
  sink.packetId(packet.packetId);
  writeProperties(sink, packet.properties, SUBSCRIBE_BIT);
  for (const subscription of packet.subscriptions) {
    writeSubscription(sink, subscription);
  }
  sink.end();
}

/** Reads SUBACK or UNSUBACK: one code a filter, but before MQTT 5 UNSUBACK ends behind the packet identifier. */
export function readSubscribeAck<Type extends 9 | 11>(reader: Reader, type: Type): SubscribeAck<Type> {
  const packetId = reader.packetId();
  const properties = readProperties(reader, 1 << type);
  const reasonCodes: number[] = [];
  if (hasCodes(type, reader)) {
    while (reader.pos < reader.end) {
      reasonCodes.push(checkCode(reader.uint8(), type, reader));
    }
    if (reasonCodes.length === 0) {
      fail(reasonCodesMissing, reader);
    }
  }
  return { type, packetId, reasonCodes, properties };
}

/** Writes SUBACK or UNSUBACK. */
export function writeSubscribeAck(sink: Sink, packet: SubscribeAck<9 | 11>): void {
  const { type, reasonCodes } = packet;
  sink.begin(type << 4);
  sink.packetId(packet.packetId);
  writeProperties(sink, packet.properties, 1 << type);
  if (!hasCodes(type, sink)) {
    if (reasonCodes.length > 0) {
      fail(notInVersion, sink);
    }
  } else if (reasonCodes.length === 0) {
    fail(reasonCodesMissing, sink);
  }
  for (const code of reasonCodes) {
    sink.uint8(checkCode(code, type, sink));
  }
  sink.end();
}

type SubscribeAck<Type extends 9 | 11> = Omit<SubackPacket, "type"> & { readonly type: Type };

function hasCodes(type: 9 | 11, where: Reader | Sink): boolean {
  return where.version === 5 || type === SUBACK;
}

/** Nearly every code is a granted QoS. */
function checkCode(code: number, type: 9 | 11, where: Reader | Sink): number {
  return type === SUBACK && isQos(code) ? code : checkReasonCode(code, type, where);
}

function readSubscription(reader: Reader): SubscriptionRequest {
  const filter = reader.string();
  // MQTT 3.1 does not use the other bits.
  const options = reader.uint8() & (reader.version === 3 ? 3 : 0xff);
  const qos = (options & 3) as QoS;
  const noLocal = (options & NO_LOCAL) !== 0;
  const retainAsPublished = (options & RETAIN_AS_PUBLISHED) !== 0;
  const retainHandling = ((options >> 4) & 3) as 0 | 1 | 2;
  if (options & (reader.version === 5 ? OPTIONS_RESERVED : OPTIONS_RESERVED_3)) {
    fail(optionsReserved, reader);
  }
  const subscription = { filter, qos, noLocal, retainAsPublished, retainHandling };
  checkSubscription(subscription, reader);
  return subscription;
}

function writeSubscription(sink: Sink, subscription: SubscriptionRequest): void {
  const { filter, qos, noLocal, retainAsPublished, retainHandling } = subscription;
  const options =
    qos | (noLocal ? NO_LOCAL : 0) | (retainAsPublished ? RETAIN_AS_PUBLISHED : 0) | (retainHandling << 4);
  sink.string(filter);
  sink.uint8(options);
  checkSubscription(subscription, sink);
  if (sink.version !== 5 && options !== qos) {
    fail(notInVersion, sink);
  }
}

function checkSubscription(subscription: SubscriptionRequest, where: Reader | Sink): void {
  const { filter, qos, noLocal, retainHandling } = subscription;
  checkFilter(filter, where);
  if (!isQos(qos)) {
    fail(requestedQosInvalid, where);
  }
  if (!isQos(retainHandling)) {
    fail(retainHandlingInvalid, where);
  }
  if (noLocal && isSharedFilter(filter)) {
    fail(noLocalOnShared, where);
  }
}
