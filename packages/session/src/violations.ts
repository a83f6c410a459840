import { ReasonCode } from "@tidewire/codec";
import type { Violation } from "./errors.ts";

/*
 * Every way to break the protocol that only a session can see, with what MQTT 5 says about it on the wire. What shows
 * in the bytes of one packet alone is the decoder's to find.
 */

export const firstPacketNotConnect: Violation = {
  code: "first-packet-not-connect",
  reasonCode: ReasonCode.ProtocolError,
  message: "the first packet is not CONNECT",
  statement5: "MQTT-3.1.0-1",
  statement3: "MQTT-3.1.0-1",
};

export const secondConnect: Violation = {
  code: "second-connect",
  reasonCode: ReasonCode.ProtocolError,
  message: "CONNECT came twice",
  statement5: "MQTT-3.1.0-2",
  statement3: "MQTT-3.1.0-2",
};

export const packetUnexpected: Violation = {
  code: "packet-unexpected",
  reasonCode: ReasonCode.ProtocolError,
  message: "this packet type may not come now",
};

export const sessionPresentUnexpected: Violation = {
  code: "session-present-unexpected",
  reasonCode: ReasonCode.ProtocolError,
  message: "session present after a clean start",
  statement5: "MQTT-3.2.2-4",
  statement3: "MQTT-3.2.2-1",
};

export const packetIdInUse: Violation = {
  code: "packet-id-in-use",
  reasonCode: ReasonCode.ProtocolError,
  message: "packet identifier is in use",
  statement5: "MQTT-2.2.1-3",
  statement3: "MQTT-2.3.1-2",
};

export const acknowledgementMismatch: Violation = {
  code: "acknowledgement-mismatch",
  reasonCode: ReasonCode.ProtocolError,
  message: "acknowledgement of the wrong type for its packet",
  statement5: "MQTT-3.3.4-1",
  statement3: "MQTT-3.3.4-1",
};

export const releaseUnexpected: Violation = {
  code: "release-unexpected",
  reasonCode: ReasonCode.ProtocolError,
  message: "PUBREL came before its PUBREC",
  statement5: "MQTT-4.3.3-4",
  statement3: "MQTT-4.3.3-1",
};

export const receiveMaximumExceeded: Violation = {
  code: "receive-maximum-exceeded",
  reasonCode: ReasonCode.ReceiveMaximumExceeded,
  message: "more messages in flight than Receive Maximum",
  statement5: "MQTT-3.3.4-7",
};

export const topicAliasInvalid: Violation = {
  code: "topic-alias-invalid",
  reasonCode: ReasonCode.TopicAliasInvalid,
  message: "topic alias above Topic Alias Maximum",
  statement5: "MQTT-3.3.2-9",
};

export const topicAliasUnknown: Violation = {
  code: "topic-alias-unknown",
  reasonCode: ReasonCode.ProtocolError,
  message: "empty topic without a known alias",
};

export const qosNotSupported: Violation = {
  code: "qos-not-supported",
  reasonCode: ReasonCode.QoSNotSupported,
  message: "QoS above Maximum QoS",
  statement5: "MQTT-3.2.2-11",
};

export const retainNotSupported: Violation = {
  code: "retain-not-supported",
  reasonCode: ReasonCode.RetainNotSupported,
  message: "RETAIN set where it is not available",
  statement5: "MQTT-3.2.2-14",
};

export const subscriptionIdentifierFromClient: Violation = {
  code: "subscription-identifier-from-client",
  reasonCode: ReasonCode.ProtocolError,
  message: "PUBLISH of a client has a subscription identifier",
  statement5: "MQTT-3.3.4-6",
};

export const wildcardNotSupported: Violation = {
  code: "wildcard-not-supported",
  reasonCode: ReasonCode.WildcardSubscriptionsNotSupported,
  message: "wildcard in a topic filter where it is not available",
};

export const sharedNotSupported: Violation = {
  code: "shared-not-supported",
  reasonCode: ReasonCode.SharedSubscriptionsNotSupported,
  message: "shared subscription where it is not available",
};

export const subscriptionIdentifierNotSupported: Violation = {
  code: "subscription-identifier-not-supported",
  reasonCode: ReasonCode.SubscriptionIdentifiersNotSupported,
  message: "subscription identifier where it is not available",
};

export const reasonCodeCount: Violation = {
  code: "reason-code-count",
  reasonCode: ReasonCode.ProtocolError,
  message: "acknowledgement has not one reason code for each filter",
  statement5: "MQTT-3.8.4-6",
  statement3: "MQTT-3.8.4-5",
};

export const sessionExpiryChanged: Violation = {
  code: "session-expiry-changed",
  reasonCode: ReasonCode.ProtocolError,
  message: "DISCONNECT asks for a session that CONNECT did not",
};

export const sessionExpiryFromServer: Violation = {
  code: "session-expiry-from-server",
  reasonCode: ReasonCode.ProtocolError,
  message: "DISCONNECT of a server has a session expiry interval",
  statement5: "MQTT-3.14.2-2",
};

export const authenticationUnexpected: Violation = {
  code: "authentication-unexpected",
  reasonCode: ReasonCode.ProtocolError,
  message: "AUTH without a running exchange",
  statement5: "MQTT-4.12.0-6",
};

export const authenticationMethodChanged: Violation = {
  code: "authentication-method-changed",
  reasonCode: ReasonCode.ProtocolError,
  message: "authentication method is not the one of CONNECT",
  statement5: "MQTT-4.12.0-5",
};
