import { MqttError } from "./errors.ts";
import type { ProtocolVersion } from "./packets.ts";

/**
 * The table of every error this package throws. `code` is stable; `reasonCode` is what MQTT 5 says on the wire
 * (0x81 Malformed Packet, 0x82 Protocol Error, ...). Statements are those of MQTT 5.0 and of 3.1.1, where numbered.
 * Each rule is a constant of its own, so that a bundle carries only those it can break.
 */
export type Rule = readonly [
  code: string,
  reasonCode: number,
  message: string,
  statement5?: string | undefined,
  statement3?: string | undefined,
];

export function fail(rule: Rule, version: ProtocolVersion, statement?: string): never {
  throw new MqttError(rule[0], rule[1], rule[2], { statement: statement ?? (version === 5 ? rule[3] : rule[4]) });
}

// Framing

export const packetTypeInvalid: Rule = ["packet-type-invalid", 0x81, "packet type is not defined in this version"];
export const packetUnexpected: Rule = ["packet-unexpected", 0x82, "packet type is not sent by this side"];
export const flagsInvalid: Rule = [
  "flags-invalid",
  0x81,
  "fixed header flags differ from those of the packet type",
  "MQTT-2.1.3-1",
  "MQTT-2.2.2-1",
];
export const varintMalformed: Rule = [
  "variable-byte-integer-malformed",
  0x81,
  "variable byte integer is longer than 4 bytes or than it needs to be",
  "MQTT-1.5.5-1",
];
export const packetTooLarge: Rule = ["packet-too-large", 0x95, "packet is larger than allowed"];
export const packetTruncated: Rule = ["packet-truncated", 0x81, "field runs past the end of its packet"];
export const packetOverlong: Rule = ["packet-overlong", 0x81, "bytes are left behind the last field"];
export const streamEnded: Rule = ["stream-ended", 0x81, "stream ended inside a packet"];

// Strings, binary data, numbers

export const stringMalformed: Rule = [
  "string-malformed",
  0x81,
  "string is not well-formed Unicode",
  "MQTT-1.5.4-1",
  "MQTT-1.5.3-1",
];
export const stringHasNull: Rule = ["string-has-null", 0x81, "string has U+0000", "MQTT-1.5.4-2", "MQTT-1.5.3-2"];
export const fieldTooLong: Rule = ["field-too-long", 0x81, "string or binary data is longer than 65,535 bytes"];
export const fieldInvalid: Rule = ["field-invalid", 0x82, "field has the wrong type or is out of range"];
export const notInVersion: Rule = ["not-in-version", 0x82, "this version cannot say that"];
export const packetIdInvalid: Rule = [
  "packet-id-invalid",
  0x82,
  "packet identifier is not 1 to 65,535",
  "MQTT-2.2.1-3",
  "MQTT-2.3.1-1",
];

// Topics

export const topicEmpty: Rule = ["topic-empty", 0x82, "topic name or filter is empty", "MQTT-4.7.3-1", "MQTT-4.7.3-1"];
export const topicNameHasWildcard: Rule = [
  "topic-name-has-wildcard",
  0x81,
  "topic name has a wildcard character",
  "MQTT-4.7.0-1",
  "MQTT-4.7.1-1",
];
export const multiLevelWildcardMisplaced: Rule = [
  "topic-filter-invalid",
  0x81,
  "'#' stands alone in the last level",
  "MQTT-4.7.1-1",
  "MQTT-4.7.1-2",
];
export const singleLevelWildcardMisplaced: Rule = [
  "topic-filter-invalid",
  0x81,
  "'+' stands alone in its level",
  "MQTT-4.7.1-2",
  "MQTT-4.7.1-3",
];
export const sharedFilterInvalid: Rule = [
  "shared-filter-invalid",
  0x81,
  "shared filter is $share/{group}/{filter}, no part empty, no wildcard in the group",
  "MQTT-4.8.2-2",
];
export const topicTooLong: Rule = ["topic-too-long", 0x97, "topic is longer than allowed"];
export const topicTooDeep: Rule = ["topic-too-deep", 0x97, "topic has more levels than allowed"];

// CONNECT and CONNACK

export const protocolUnsupported: Rule = [
  "unsupported-protocol-version",
  0x84,
  "protocol name or level is not one of MQTT 3.1, 3.1.1, 5.0",
  "MQTT-3.1.2-2",
  "MQTT-3.1.2-2",
];
export const connectFlagReserved: Rule = [
  "connect-flag-reserved",
  0x81,
  "reserved flag of CONNECT is set",
  "MQTT-3.1.2-3",
  "MQTT-3.1.2-3",
];
export const willQosWithoutWill: Rule = [
  "will-flags-without-will",
  0x81,
  "will QoS is set without a will",
  "MQTT-3.1.2-11",
  "MQTT-3.1.2-13",
];
export const willRetainWithoutWill: Rule = [
  "will-flags-without-will",
  0x81,
  "will retain is set without a will",
  "MQTT-3.1.2-13",
  "MQTT-3.1.2-15",
];
export const willQosInvalid: Rule = [
  "qos-invalid",
  0x81,
  "will QoS is not 0, 1 or 2",
  "MQTT-3.1.2-12",
  "MQTT-3.1.2-14",
];
export const passwordWithoutUsername: Rule = [
  "password-without-username",
  0x81,
  "before MQTT 5 a password needs a user name",
  undefined,
  "MQTT-3.1.2-22",
];
export const connackFlagsReserved: Rule = [
  "connack-flags-reserved",
  0x81,
  "reserved flag of CONNACK is set",
  "MQTT-3.2.2-1",
];
export const sessionPresentOnFailure: Rule = [
  "session-present-on-failure",
  0x82,
  "CONNACK refuses and has session present",
  "MQTT-3.2.2-6",
  "MQTT-3.2.2-4",
];

// PUBLISH

export const publishQosInvalid: Rule = ["qos-invalid", 0x81, "QoS is not 0, 1 or 2", "MQTT-3.3.1-4", "MQTT-3.3.1-4"];
export const dupOnQos0: Rule = ["dup-on-qos-0", 0x81, "DUP is set on QoS 0", "MQTT-3.3.1-2", "MQTT-3.3.1-2"];
export const packetIdOnQos0: Rule = [
  "packet-id-invalid",
  0x82,
  "QoS 0 has no packet identifier",
  "MQTT-2.2.1-2",
  "MQTT-2.3.1-5",
];

// SUBSCRIBE and what answers it

export const subscriptionsMissing: Rule = [
  "topic-filters-missing",
  0x82,
  "SUBSCRIBE has no topic filter",
  "MQTT-3.8.3-2",
  "MQTT-3.8.3-3",
];
export const filtersMissing: Rule = [
  "topic-filters-missing",
  0x82,
  "UNSUBSCRIBE has no topic filter",
  "MQTT-3.10.3-2",
  "MQTT-3.10.3-2",
];
export const subscriptionOptionsReserved: Rule = [
  "subscription-options-reserved",
  0x81,
  "reserved bit of the subscription options is set",
  "MQTT-3.8.3-5",
  "MQTT-3.8.3-4",
];
export const subscriptionQosInvalid: Rule = [
  "qos-invalid",
  0x81,
  "requested QoS is not 0, 1 or 2",
  undefined,
  "MQTT-3.8.3-4",
];
export const retainHandlingInvalid: Rule = ["retain-handling-invalid", 0x82, "retain handling is not 0, 1 or 2"];
export const noLocalOnShared: Rule = [
  "no-local-on-shared",
  0x82,
  "No Local is set on a shared subscription",
  "MQTT-3.8.3-4",
];
export const reasonCodeInvalid: Rule = ["reason-code-invalid", 0x82, "reason code is not one of this packet type"];
export const reasonCodesMissing: Rule = ["reason-codes-missing", 0x82, "acknowledgement has no reason code"];

// Properties

export const propertyUnknown: Rule = ["property-unknown", 0x81, "property is not defined"];
export const propertyNotAllowed: Rule = ["property-not-allowed", 0x81, "property does not belong in this packet"];
export const propertyRepeated: Rule = ["property-repeated", 0x82, "property stands twice"];
export const propertyInvalid: Rule = ["property-invalid", 0x82, "property value is out of its range"];
export const authenticationMethodMissing: Rule = [
  "authentication-method-missing",
  0x82,
  "authentication data or AUTH without an authentication method",
];
