import type { Violation } from "./errors.ts";

/*
 * Every rule of the protocol that only the engine of a connection can see broken. What shows in the bytes of one packet alone is the
 * decoder's to find. Each is a constant of its own, so that a bundle has only those of its end.
 */

/** Something else comes before CONNECT. */
export const firstPacketNotConnect: Violation = ["first-packet-not-connect", 0x82, "3.1.0-1", "3.1.0-1"];
/** CONNECT comes twice. */
export const secondConnect: Violation = ["second-connect", 0x82, "3.1.0-2", "3.1.0-2"];
/** A packet type that may not come in this state. */
export const packetUnexpected: Violation = ["packet-unexpected", 0x82];
/** CONNACK says that there is a session after a clean start. */
export const sessionPresentUnexpected: Violation = ["session-present-unexpected", 0x82, "3.2.2-4", "3.2.2-1"];
/** A packet identifier that another exchange still has. */
export const packetIdInUse: Violation = ["packet-id-in-use", 0x82, "2.2.1-3", "2.3.1-2"];
/** An acknowledgement of another type than its packet wants. */
export const acknowledgementMismatch: Violation = ["acknowledgement-mismatch", 0x82, "3.3.4-1", "3.3.4-1"];
/** PUBREL comes before its PUBREC went. */
export const releaseUnexpected: Violation = ["release-unexpected", 0x82, "4.3.3-4", "4.3.3-1"];
/** More messages in flight than Receive Maximum. */
export const receiveMaximumExceeded: Violation = ["receive-maximum-exceeded", 0x93, "3.3.4-7"];
/** A topic alias above Topic Alias Maximum. */
export const topicAliasInvalid: Violation = ["topic-alias-invalid", 0x94, "3.3.2-9"];
/** An empty topic with an alias that was not given to any. */
export const topicAliasUnknown: Violation = ["topic-alias-unknown", 0x82];
/** A SUBACK or UNSUBACK that has not one reason code for each filter. */
export const reasonCodeCount: Violation = ["reason-code-count", 0x82, "3.8.4-6", "3.8.4-5"];
/** DISCONNECT asks for a session that CONNECT did not. */
export const sessionExpiryChanged: Violation = ["session-expiry-changed", 0x82];
/** A server's DISCONNECT has a Session Expiry Interval. */
export const sessionExpiryFromServer: Violation = ["session-expiry-from-server", 0x82, "3.14.2-2"];
/** AUTH without a running exchange. */
export const authenticationUnexpected: Violation = ["authentication-unexpected", 0x82, "4.12.0-6"];
/** Another authentication method than that of CONNECT. */
export const authenticationMethodChanged: Violation = ["authentication-method-changed", 0x82, "4.12.0-5"];
/** A client's PUBLISH has a subscription identifier. */
export const subscriptionIdentifierFromClient: Violation = ["subscription-identifier-from-client", 0x82, "3.3.4-6"];

// What the other end announced not to take

/** QoS above Maximum QoS. */
export const qosNotSupported: Violation = ["qos-not-supported", 0x9b, "3.2.2-11"];
/** RETAIN where it is not available. */
export const retainNotSupported: Violation = ["retain-not-supported", 0x9a, "3.2.2-14"];
/** A wildcard in a topic filter where it is not available. */
export const wildcardNotSupported: Violation = ["wildcard-not-supported", 0xa2];
/** A shared subscription where it is not available. */
export const sharedNotSupported: Violation = ["shared-not-supported", 0x9e];
/** A subscription identifier where it is not available. */
export const subscriptionIdentifierNotSupported: Violation = ["subscription-identifier-not-supported", 0xa1];
