import {
  AUTH_BIT,
  CONNACK_BIT,
  CONNECT_BIT,
  DISCONNECT_BIT,
  PUBACK_BIT,
  PUBCOMP_BIT,
  PUBLISH_BIT,
  PUBREC_BIT,
  PUBREL_BIT,
  SUBACK_BIT,
  SUBSCRIBE_BIT,
  UNSUBACK_BIT,
  UNSUBSCRIBE_BIT,
  WILL_BIT,
} from "./packet-types.ts";
import type { Properties } from "./packets.ts";

/**
 * How a value is put on the wire (MQTT 5.0, 2.2.2.2), told apart further by what it is in JavaScript: the methods of
 * `Reader` and `Sink` for it. `bit` and `boolean` are a byte of 0 or 1; `variableByteInteger` and `stringPair` come as
 * arrays, since they may repeat.
 */
export type WireType =
  | "bit"
  | "boolean"
  | "uint16"
  | "uint32"
  | "string"
  | "topicName"
  | "binary"
  | "variableByteInteger"
  | "stringPair";

/**
 * `packets` and `repeatable` are sums of bits `1 << packet type`, with bit 0 for the will inside CONNECT. Absent
 * columns are 0; the largest value is that of the wire type.
 */
export type PropertyInfo = readonly [
  id: number,
  name: keyof Properties,
  wireType: WireType,
  packets: number,
  minimum?: number,
  repeatable?: number,
];

const MESSAGE = PUBLISH_BIT | WILL_BIT;
const ANSWER =
  CONNACK_BIT |
  PUBACK_BIT |
  PUBREC_BIT |
  PUBREL_BIT |
  PUBCOMP_BIT |
  SUBACK_BIT |
  UNSUBACK_BIT |
  DISCONNECT_BIT |
  AUTH_BIT;
const ANY = ANSWER | CONNECT_BIT | MESSAGE | SUBSCRIBE_BIT | UNSUBSCRIBE_BIT;
const HANDSHAKE = CONNECT_BIT | CONNACK_BIT;

/** Every property of MQTT 5.0 (table 2-4) by ascending identifier. A row's place also numbers it, below 32. */
export const properties: readonly PropertyInfo[] = [
  [1, "payloadFormatIndicator", "bit", MESSAGE],
  [2, "messageExpiryInterval", "uint32", MESSAGE],
  [3, "contentType", "string", MESSAGE],
  [8, "responseTopic", "topicName", MESSAGE],
  [9, "correlationData", "binary", MESSAGE],
  [11, "subscriptionIdentifiers", "variableByteInteger", PUBLISH_BIT | SUBSCRIBE_BIT, 1, PUBLISH_BIT],
  [17, "sessionExpiryInterval", "uint32", HANDSHAKE | DISCONNECT_BIT],
  [18, "assignedClientIdentifier", "string", CONNACK_BIT],
  [19, "serverKeepAlive", "uint16", CONNACK_BIT],
  [21, "authenticationMethod", "string", HANDSHAKE | AUTH_BIT],
  [22, "authenticationData", "binary", HANDSHAKE | AUTH_BIT],
  [23, "requestProblemInformation", "boolean", CONNECT_BIT],
  [24, "willDelayInterval", "uint32", WILL_BIT],
  [25, "requestResponseInformation", "boolean", CONNECT_BIT],
  [26, "responseInformation", "string", CONNACK_BIT],
  [28, "serverReference", "string", CONNACK_BIT | DISCONNECT_BIT],
  [31, "reasonString", "string", ANSWER],
  [33, "receiveMaximum", "uint16", HANDSHAKE, 1],
  [34, "topicAliasMaximum", "uint16", HANDSHAKE],
  [35, "topicAlias", "uint16", PUBLISH_BIT, 1],
  [36, "maximumQoS", "bit", CONNACK_BIT],
  [37, "retainAvailable", "boolean", CONNACK_BIT],
  [38, "userProperties", "stringPair", ANY, 0, ANY],
  [39, "maximumPacketSize", "uint32", HANDSHAKE, 1],
  [40, "wildcardSubscriptionAvailable", "boolean", CONNACK_BIT],
  [41, "subscriptionIdentifierAvailable", "boolean", CONNACK_BIT],
  [42, "sharedSubscriptionAvailable", "boolean", CONNACK_BIT],
];
