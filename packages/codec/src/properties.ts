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
import {
  BINARY,
  BIT,
  BOOLEAN,
  STRING,
  STRING_PAIR,
  TOPIC_NAME,
  UINT16,
  UINT32,
  VARIABLE_BYTE_INTEGER,
} from "./wire-types.ts";

/**
 * `packets` and `repeatable` are sums of bits `1 << packet type`, with bit 0 for the will inside CONNECT. Absent
 * columns are 0; the largest value is that of the wire type.
 */
export type PropertyInfo = readonly [
  id: number,
  name: keyof Properties,
  wireType: number,
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
  [1, "payloadFormatIndicator", BIT, MESSAGE],
  [2, "messageExpiryInterval", UINT32, MESSAGE],
  [3, "contentType", STRING, MESSAGE],
  [8, "responseTopic", TOPIC_NAME, MESSAGE],
  [9, "correlationData", BINARY, MESSAGE],
  [11, "subscriptionIdentifiers", VARIABLE_BYTE_INTEGER, PUBLISH_BIT | SUBSCRIBE_BIT, 1, PUBLISH_BIT],
  [17, "sessionExpiryInterval", UINT32, HANDSHAKE | DISCONNECT_BIT],
  [18, "assignedClientIdentifier", STRING, CONNACK_BIT],
  [19, "serverKeepAlive", UINT16, CONNACK_BIT],
  [21, "authenticationMethod", STRING, HANDSHAKE | AUTH_BIT],
  [22, "authenticationData", BINARY, HANDSHAKE | AUTH_BIT],
  [23, "requestProblemInformation", BOOLEAN, CONNECT_BIT],
  [24, "willDelayInterval", UINT32, WILL_BIT],
  [25, "requestResponseInformation", BOOLEAN, CONNECT_BIT],
  [26, "responseInformation", STRING, CONNACK_BIT],
  [28, "serverReference", STRING, CONNACK_BIT | DISCONNECT_BIT],
  [31, "reasonString", STRING, ANSWER],
  [33, "receiveMaximum", UINT16, HANDSHAKE, 1],
  [34, "topicAliasMaximum", UINT16, HANDSHAKE],
  [35, "topicAlias", UINT16, PUBLISH_BIT, 1],
  [36, "maximumQoS", BIT, CONNACK_BIT],
  [37, "retainAvailable", BOOLEAN, CONNACK_BIT],
  [38, "userProperties", STRING_PAIR, ANY, 0, ANY],
  [39, "maximumPacketSize", UINT32, HANDSHAKE, 1],
  [40, "wildcardSubscriptionAvailable", BOOLEAN, CONNACK_BIT],
  [41, "subscriptionIdentifierAvailable", BOOLEAN, CONNACK_BIT],
  [42, "sharedSubscriptionAvailable", BOOLEAN, CONNACK_BIT],
];
