import { MqttError, type ProtocolError } from "./errors.ts";
import type { ProtocolVersion } from "./packets.ts";

/**
 * A way to break the protocol. `code` is stable; `reasonCode` is what MQTT 5 calls it on the wire (0x81 Malformed Packet,
 * 0x82 Protocol Error, ...); the statements are those of MQTT 5.0 and of 3.1.1, without their `MQTT-`, where they are
 * numbered. Below is every one that this package finds, each a constant of its own, so that a bundle has only its own.
 */
export type Rule = readonly [code: string, reasonCode: number, statement5?: string | undefined, statement3?: string];

/** Throws the error of a rule broken `where` this version is spoken; `number` when the rule is one of several. */
export function fail(rule: Rule, where: { readonly version: ProtocolVersion }, number?: string): never {
  throw new MqttError(...errorOf(rule, where.version, number));
}

/** Throws for a field to encode that is not `what` it has to be, such as "a string". */
export function failField(what: string): never {
  throw new MqttError("field-invalid", 0x82, `Not ${what}.`);
}

/** What a `ProtocolError` says of a rule that was broken in this version. */
export function errorOf(
  [code, reasonCode, statement5, statement3]: Rule,
  version: ProtocolVersion,
  number: string | undefined = version === 5 ? statement5 : statement3,
): ConstructorParameters<typeof ProtocolError> {
  return [code, reasonCode, undefined, { statement: number && `MQTT-${number}` }];
}

// Framing

/** No such packet type, or not from this side. */
export const packetUnexpected: Rule = ["packet-unexpected", 0x82];
/** Fixed header flags are not those of the packet type. */
export const flagsInvalid: Rule = ["flags-invalid", 0x81, "2.1.3-1", "2.2.2-1"];
/** A variable byte integer takes more than four bytes, or more than it needs. */
export const lengthMalformed: Rule = ["length-malformed", 0x81, "1.5.5-1"];
/** More bytes than `maximumPacketSize`, or than four length bytes can say. */
export const packetTooLarge: Rule = ["packet-too-large", 0x95];
/** A field runs past the end of its packet or of its properties, or the stream ends inside a packet. */
export const packetTruncated: Rule = ["packet-truncated", 0x81];
/** Bytes are left behind the last field. */
export const packetOverlong: Rule = ["packet-overlong", 0x81];

// Fields

/** Ill-formed UTF-8, or a lone surrogate. */
export const stringMalformed: Rule = ["string-malformed", 0x81, "1.5.4-1", "1.5.3-1"];
/** U+0000 in a string. */
export const stringHasNull: Rule = ["string-has-null", 0x81, "1.5.4-2", "1.5.3-2"];
/** A string or binary data of more than 65,535 bytes. */
export const fieldTooLong: Rule = ["field-too-long", 0x81];
/** A field to encode says what this version cannot. */
export const notInVersion: Rule = ["not-in-version", 0x82];
/** A packet identifier of 0, or to encode one above 65,535. */
export const packetIdInvalid: Rule = ["packet-id-invalid", 0x82, "2.2.1-3", "2.3.1-1"];
/** A packet identifier with QoS 0. */
export const packetIdOnQos0: Rule = ["packet-id-invalid", 0x82, "2.2.1-2", "2.3.1-5"];
/** Not a reason code, or return code, of this packet and side. */
export const reasonCodeInvalid: Rule = ["reason-code-invalid", 0x82];

// Topics

/** An empty topic name or filter; for PUBLISH in MQTT 5, without a topic alias. */
export const topicEmpty: Rule = ["topic-empty", 0x82, "4.7.3-1", "4.7.3-1"];
/** `+` or `#` in a topic name. */
export const topicHasWildcard: Rule = ["topic-has-wildcard", 0x81, "4.7.0-1", "4.7.1-1"];
/** `#` that is not the whole last level of a filter. */
export const multiLevelMisplaced: Rule = ["filter-malformed", 0x81, "4.7.1-1", "4.7.1-2"];
/** `+` that is not a whole level of a filter. */
export const singleLevelMisplaced: Rule = ["filter-malformed", 0x81, "4.7.1-2", "4.7.1-3"];
/** A `$share/` filter without a group or a filter, or with a wildcard in the group. */
export const shareMalformed: Rule = ["filter-malformed", 0x81, "4.8.2-2"];
/** A topic name or filter above `maximumLength`. */
export const topicTooLong: Rule = ["topic-too-long", 0x97, "4.7.3-3"];
/** A topic name or filter above `maximumLevels`. */
export const topicTooDeep: Rule = ["topic-too-deep", 0x97];

// CONNECT and CONNACK

/** A protocol name or level other than those of MQTT 3.1, 3.1.1 and 5.0; a server answers 3.x with return code 1. */
export const versionUnsupported: Rule = ["unsupported-protocol-version", 0x84, "3.1.2-2", "3.1.2-2"];
/** The reserved flag of CONNECT. */
export const connectFlagReserved: Rule = ["flags-invalid", 0x81, "3.1.2-3", "3.1.2-3"];
/** Will QoS without a will. */
export const willQosWithoutWill: Rule = ["flags-invalid", 0x81, "3.1.2-11", "3.1.2-13"];
/** Will retain without a will. */
export const willRetainWithoutWill: Rule = ["flags-invalid", 0x81, "3.1.2-13", "3.1.2-15"];
/** Will QoS 3. */
export const willQosInvalid: Rule = ["qos-invalid", 0x81, "3.1.2-12", "3.1.2-14"];
/** A password without a user name, before MQTT 5. */
export const passwordAlone: Rule = ["password-without-username", 0x81, undefined, "3.1.2-22"];
/** The reserved flags of CONNACK. */
export const connackFlagsReserved: Rule = ["flags-invalid", 0x81, "3.2.2-1"];
/** Session present in a CONNACK that refuses. */
export const sessionPresentOnFailure: Rule = ["session-present-on-failure", 0x82, "3.2.2-6", "3.2.2-4"];

// PUBLISH

/** QoS 3. */
export const qosInvalid: Rule = ["qos-invalid", 0x81, "3.3.1-4", "3.3.1-4"];
/** DUP with QoS 0. */
export const dupOnQos0: Rule = ["dup-on-qos-0", 0x81, "3.3.1-2", "3.3.1-2"];

// SUBSCRIBE, UNSUBSCRIBE and their answers

/** SUBSCRIBE without a topic filter. */
export const subscriptionsMissing: Rule = ["payload-missing", 0x82, "3.8.3-2", "3.8.3-3"];
/** UNSUBSCRIBE without a topic filter. */
export const filtersMissing: Rule = ["payload-missing", 0x82, "3.10.3-2", "3.10.3-2"];
/** SUBACK or UNSUBACK without a reason code. */
export const reasonCodesMissing: Rule = ["payload-missing", 0x82];
/** Reserved bits of the subscription options. */
export const optionsReserved: Rule = ["subscription-options-invalid", 0x81, "3.8.3-5", "3.8.3-4"];
/** Retain handling 3. */
export const retainHandlingInvalid: Rule = ["subscription-options-invalid", 0x82];
/** No Local with a shared subscription. */
export const noLocalOnShared: Rule = ["subscription-options-invalid", 0x82, "3.8.3-4"];
/** Requested QoS 3. */
export const requestedQosInvalid: Rule = ["qos-invalid", 0x81, undefined, "3.8.3-4"];

// Properties

/** An identifier, or to encode a name, that MQTT 5 does not define. */
export const propertyUnknown: Rule = ["property-unknown", 0x81];
/** A property that does not belong in this packet. */
export const propertyMisplaced: Rule = ["property-misplaced", 0x81];
/** A property twice that may stand only once. */
export const propertyRepeated: Rule = ["property-repeated", 0x82];
/** A property value out of its range or of the wrong type. */
export const propertyInvalid: Rule = ["property-invalid", 0x82];
/** Authentication data, or AUTH, without an authentication method. */
export const methodMissing: Rule = ["authentication-method-missing", 0x82];
