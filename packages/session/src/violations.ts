import { type ProtocolVersion, ReasonCode } from "@tidewire/codec";
import { SessionError } from "./errors.ts";

/** A way to break the protocol that only a session can see: its name, and what MQTT 5 says about it on the wire. */
export interface Violation {
  readonly code: string;
  readonly reasonCode: number;
  readonly message: string;
  /** Statement of MQTT 5.0. */
  readonly statement5?: string;
  /** Statement of MQTT 3.1.1. */
  readonly statement3?: string;
}

export function violationError(violation: Violation, version: ProtocolVersion): SessionError {
  const statement = version === 5 ? violation.statement5 : violation.statement3;
  return new SessionError("violation", violation.code, violation.reasonCode, violation.message, { statement });
}

export const violations = {
  firstPacketNotConnect: {
    code: "first-packet-not-connect",
    reasonCode: ReasonCode.ProtocolError,
    message: "the first packet is not CONNECT",
    statement5: "MQTT-3.1.0-1",
    statement3: "MQTT-3.1.0-1",
  },
  secondConnect: {
    code: "second-connect",
    reasonCode: ReasonCode.ProtocolError,
    message: "CONNECT came twice",
    statement5: "MQTT-3.1.0-2",
    statement3: "MQTT-3.1.0-2",
  },
  packetUnexpected: {
    code: "packet-unexpected",
    reasonCode: ReasonCode.ProtocolError,
    message: "this packet type may not come now",
  },
  sessionPresentUnexpected: {
    code: "session-present-unexpected",
    reasonCode: ReasonCode.ProtocolError,
    message: "session present after a clean start",
    statement5: "MQTT-3.2.2-4",
    statement3: "MQTT-3.2.2-1",
  },
  packetIdInUse: {
    code: "packet-id-in-use",
    reasonCode: ReasonCode.ProtocolError,
    message: "packet identifier is in use",
    statement5: "MQTT-2.2.1-3",
    statement3: "MQTT-2.3.1-2",
  },
  acknowledgementMismatch: {
    code: "acknowledgement-mismatch",
    reasonCode: ReasonCode.ProtocolError,
    message: "acknowledgement of the wrong type for its packet",
    statement5: "MQTT-3.3.4-1",
    statement3: "MQTT-3.3.4-1",
  },
  releaseUnexpected: {
    code: "release-unexpected",
    reasonCode: ReasonCode.ProtocolError,
    message: "PUBREL came before its PUBREC",
    statement5: "MQTT-4.3.3-4",
    statement3: "MQTT-4.3.3-1",
  },
  receiveMaximumExceeded: {
    code: "receive-maximum-exceeded",
    reasonCode: ReasonCode.ReceiveMaximumExceeded,
    message: "more messages in flight than Receive Maximum",
    statement5: "MQTT-3.3.4-7",
  },
  topicAliasInvalid: {
    code: "topic-alias-invalid",
    reasonCode: ReasonCode.TopicAliasInvalid,
    message: "topic alias above Topic Alias Maximum",
    statement5: "MQTT-3.3.2-9",
  },
  topicAliasUnknown: {
    code: "topic-alias-unknown",
    reasonCode: ReasonCode.ProtocolError,
    message: "empty topic without a known alias",
  },
  qosNotSupported: {
    code: "qos-not-supported",
    reasonCode: ReasonCode.QoSNotSupported,
    message: "QoS above Maximum QoS",
    statement5: "MQTT-3.2.2-11",
  },
  retainNotSupported: {
    code: "retain-not-supported",
    reasonCode: ReasonCode.RetainNotSupported,
    message: "RETAIN set where it is not available",
    statement5: "MQTT-3.2.2-14",
  },
  subscriptionIdentifierFromClient: {
    code: "subscription-identifier-from-client",
    reasonCode: ReasonCode.ProtocolError,
    message: "PUBLISH of a client has a subscription identifier",
    statement5: "MQTT-3.3.4-6",
  },
  wildcardNotSupported: {
    code: "wildcard-not-supported",
    reasonCode: ReasonCode.WildcardSubscriptionsNotSupported,
    message: "wildcard in a topic filter where it is not available",
  },
  sharedNotSupported: {
    code: "shared-not-supported",
    reasonCode: ReasonCode.SharedSubscriptionsNotSupported,
    message: "shared subscription where it is not available",
  },
  subscriptionIdentifierNotSupported: {
    code: "subscription-identifier-not-supported",
    reasonCode: ReasonCode.SubscriptionIdentifiersNotSupported,
    message: "subscription identifier where it is not available",
  },
  reasonCodeCount: {
    code: "reason-code-count",
    reasonCode: ReasonCode.ProtocolError,
    message: "acknowledgement has not one reason code for each filter",
    statement5: "MQTT-3.8.4-6",
    statement3: "MQTT-3.8.4-5",
  },
  sessionExpiryChanged: {
    code: "session-expiry-changed",
    reasonCode: ReasonCode.ProtocolError,
    message: "DISCONNECT asks for a session that CONNECT did not",
  },
  sessionExpiryFromServer: {
    code: "session-expiry-from-server",
    reasonCode: ReasonCode.ProtocolError,
    message: "DISCONNECT of a server has a session expiry interval",
    statement5: "MQTT-3.14.2-2",
  },
  authenticationUnexpected: {
    code: "authentication-unexpected",
    reasonCode: ReasonCode.ProtocolError,
    message: "AUTH without a running exchange",
    statement5: "MQTT-4.12.0-6",
  },
  authenticationMethodChanged: {
    code: "authentication-method-changed",
    reasonCode: ReasonCode.ProtocolError,
    message: "authentication method is not the one of CONNECT",
    statement5: "MQTT-4.12.0-5",
  },
} as const satisfies Record<string, Violation>;
