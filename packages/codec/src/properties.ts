import type { Properties } from "./packets.ts";

/** Wire type of a property value (MQTT 5.0, 2.2.2.2), told apart further by what JavaScript makes of it. */
export const PropertyKind = {
  /** One byte, 0 or 1, given as number. */
  BIT: 0,
  /** One byte, 0 or 1, given as boolean. */
  BOOLEAN: 1,
  UINT16: 2,
  UINT32: 3,
  VARIABLE_BYTE_INTEGER: 4,
  STRING: 5,
  /** A string that is a topic name: not empty, no wildcards. */
  TOPIC_NAME: 6,
  BINARY: 7,
  STRING_PAIR: 8,
} as const;
export type PropertyKind = (typeof PropertyKind)[keyof typeof PropertyKind];

/** `packets` and `repeatable` hold bit `1 << packet type`, and bit 0 for the will properties inside CONNECT. */
export type PropertyInfo = readonly [
  id: number,
  name: keyof Properties,
  kind: PropertyKind,
  packets: number,
  minimum: number,
  repeatable: number,
];

/** Stands for the will among the packet bits. */
export const WILL_BIT: number = 1 << 0;
const CONNECT = 1 << 1;
const CONNACK = 1 << 2;
const PUBLISH = 1 << 3;
const ACKS = (1 << 4) | (1 << 5) | (1 << 6) | (1 << 7);
const SUBSCRIBE = 1 << 8;
const SUBACK = 1 << 9;
const UNSUBSCRIBE = 1 << 10;
const UNSUBACK = 1 << 11;
const DISCONNECT = 1 << 14;
const AUTH = 1 << 15;
const MESSAGE = PUBLISH | WILL_BIT;
const ANSWERS = CONNACK | ACKS | SUBACK | UNSUBACK | DISCONNECT | AUTH;
const ALL = ANSWERS | CONNECT | MESSAGE | SUBSCRIBE | UNSUBSCRIBE;

const { BIT, BOOLEAN, UINT16, UINT32, VARIABLE_BYTE_INTEGER, STRING, TOPIC_NAME, BINARY, STRING_PAIR } = PropertyKind;

/** Every property of MQTT 5.0 (table 2-4) by ascending identifier. A row's place also numbers it, below 32. */
export const properties: readonly PropertyInfo[] = [
  [1, "payloadFormatIndicator", BIT, MESSAGE, 0, 0],
  [2, "messageExpiryInterval", UINT32, MESSAGE, 0, 0],
  [3, "contentType", STRING, MESSAGE, 0, 0],
  [8, "responseTopic", TOPIC_NAME, MESSAGE, 0, 0],
  [9, "correlationData", BINARY, MESSAGE, 0, 0],
  [11, "subscriptionIdentifiers", VARIABLE_BYTE_INTEGER, PUBLISH | SUBSCRIBE, 1, PUBLISH],
  [17, "sessionExpiryInterval", UINT32, CONNECT | CONNACK | DISCONNECT, 0, 0],
  [18, "assignedClientIdentifier", STRING, CONNACK, 0, 0],
  [19, "serverKeepAlive", UINT16, CONNACK, 0, 0],
  [21, "authenticationMethod", STRING, CONNECT | CONNACK | AUTH, 0, 0],
  [22, "authenticationData", BINARY, CONNECT | CONNACK | AUTH, 0, 0],
  [23, "requestProblemInformation", BOOLEAN, CONNECT, 0, 0],
  [24, "willDelayInterval", UINT32, WILL_BIT, 0, 0],
  [25, "requestResponseInformation", BOOLEAN, CONNECT, 0, 0],
  [26, "responseInformation", STRING, CONNACK, 0, 0],
  [28, "serverReference", STRING, CONNACK | DISCONNECT, 0, 0],
  [31, "reasonString", STRING, ANSWERS, 0, 0],
  [33, "receiveMaximum", UINT16, CONNECT | CONNACK, 1, 0],
  [34, "topicAliasMaximum", UINT16, CONNECT | CONNACK, 0, 0],
  [35, "topicAlias", UINT16, PUBLISH, 1, 0],
  [36, "maximumQoS", BIT, CONNACK, 0, 0],
  [37, "retainAvailable", BOOLEAN, CONNACK, 0, 0],
  [38, "userProperties", STRING_PAIR, ALL, 0, ALL],
  [39, "maximumPacketSize", UINT32, CONNECT | CONNACK, 1, 0],
  [40, "wildcardSubscriptionAvailable", BOOLEAN, CONNACK, 0, 0],
  [41, "subscriptionIdentifierAvailable", BOOLEAN, CONNACK, 0, 0],
  [42, "sharedSubscriptionAvailable", BOOLEAN, CONNACK, 0, 0],
];
