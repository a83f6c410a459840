import { type MqttError, PacketType, type ProtocolError, reasonCodeName } from "@tidewire/codec";
import { FIRST_FAILURE, KEEP_ALIVE_TIMEOUT, UNSPECIFIED_ERROR } from "@tidewire/codec/codes";
import { SessionError } from "./errors.ts";

/*
 * Why a server's connection ended, in sentences for its log. A client's error has the words of its code alone: its bundle
 * carries no sentences. They have no stack: where this side noticed it says nothing, and when thousands of clients are lost at
 * once, stacks would cost more than all the rest.
 */

/** For the client that broke a rule: what of which packet. */
export function explainedViolation(error: ProtocolError, packetType: number | undefined): SessionError {
  const { code, reasonCode, statement } = error;
  const what = clauses[code] ?? error.message;
  const rule = statement === undefined ? "" : ` [${statement}]`;
  const message = `The client broke the protocol with ${packetName(packetType)}: ${what}${rule}.`;
  return withoutStack("violation", code, reasonCode, message, { statement, cause: error });
}

/** For a packet that has to be sent and is larger than the client takes. */
export function explainedUnsendable(error: MqttError, packetType: number): SessionError {
  const { code, reasonCode } = error;
  const message = `The client takes no packet as large as ${packetName(packetType)} that it is owed.`;
  return withoutStack("link", code, reasonCode, message, { cause: error });
}

/** [MQTT-3.1.2-22] */
export function keepAliveTimeout(keepAlive: number): SessionError {
  const message = `The client sent nothing for ${1.5 * keepAlive} s; its keep-alive is ${keepAlive} s [MQTT-3.1.2-22].`;
  return withoutStack("link", "keep-alive-timeout", KEEP_ALIVE_TIMEOUT, message, { statement: "MQTT-3.1.2-22" });
}

export function connectTimeout(packet: "CONNECT" | "AUTH", limitMs: number): SessionError {
  const message = `The client sent no ${packet} within ${limitMs / 1000} s.`;
  return withoutStack("link", "connect-timeout", KEEP_ALIVE_TIMEOUT, message);
}

export function connectionLost(): SessionError {
  const message = "The connection closed without a DISCONNECT of the client.";
  return withoutStack("link", "connection-lost", UNSPECIFIED_ERROR, message);
}

/** For this side's refusal or DISCONNECT; undefined when nothing is wrong. */
export function orderly(reasonCode: number): SessionError | undefined {
  const message = `The server ended the connection with reason code ${reasonText(reasonCode)}.`;
  return reasonCode < FIRST_FAILURE ? undefined : withoutStack("link", "ended-by-server", reasonCode, message);
}

/** For the client's DISCONNECT; undefined when nothing is wrong. */
export function disconnected(reasonCode: number): SessionError | undefined {
  const message = `The client disconnected with reason code ${reasonText(reasonCode)}.`;
  return reasonCode < FIRST_FAILURE ? undefined : withoutStack("link", "ended-by-client", reasonCode, message);
}

function reasonText(reasonCode: number): string {
  return `0x${reasonCode.toString(16)} (${reasonCodeName(reasonCode) ?? "unknown"})`;
}

function packetName(type: number | undefined): string {
  const name = Object.keys(PacketType).find((key) => PacketType[key as keyof typeof PacketType] === type);
  return name === undefined ? "what it sent" : `${/^[AU]/.test(name) ? "an" : "a"} ${name}`;
}

/** What is wrong, by code; of the codec's rules and of those in violations.ts. */
const clauses: Readonly<Record<string, string>> = {
  "packet-unexpected": "a packet of this type is not expected from a client now",
  "flags-invalid": "it has flags that are reserved or contradict each other",
  "length-malformed": "a length takes more bytes than it may",
  "packet-too-large": "it is longer than the maximum packet size of the server",
  "packet-truncated": "a field is longer than what is left of the packet",
  "packet-overlong": "bytes are left behind its last field",
  "string-malformed": "a string is not well-formed UTF-8",
  "string-has-null": "a string has the character U+0000",
  "packet-id-invalid": "its packet identifier is 0",
  "reason-code-invalid": "its reason code does not belong in this packet from a client",
  "topic-empty": "a topic name or filter is empty",
  "topic-has-wildcard": "a topic name has a wildcard",
  "filter-malformed": "a topic filter has a wildcard out of place, or is no whole shared subscription",
  "unsupported-protocol-version": "its protocol name and level are none of MQTT 3.1, 3.1.1 and 5.0",
  "password-without-username": "it has a password but no user name, which only MQTT 5 allows",
  "qos-invalid": "its QoS is 3",
  "dup-on-qos-0": "DUP is set with QoS 0",
  "payload-missing": "it has no topic filter",
  "subscription-options-invalid": "subscription options are reserved or contradict each other",
  "property-unknown": "it has a property that MQTT 5 does not define",
  "property-misplaced": "it has a property that does not belong in this packet",
  "property-repeated": "it has a property twice that may come once",
  "property-invalid": "the value of a property is out of its range",
  "authentication-method-missing": "it names no authentication method",
  "first-packet-not-connect": "the first packet has to be CONNECT",
  "second-connect": "a connection has one CONNECT",
  "packet-id-in-use": "its packet identifier belongs to an exchange that is not over",
  "acknowledgement-mismatch": "it acknowledges a message that wants another acknowledgement",
  "release-unexpected": "its message has not been answered with PUBREC yet",
  "receive-maximum-exceeded": "more messages are unacknowledged than the Receive Maximum of the server allows",
  "topic-alias-invalid": "its topic alias is above the Topic Alias Maximum of the server",
  "topic-alias-unknown": "its topic is empty and its topic alias was not given to any",
  "session-expiry-changed": "it asks for a session that CONNECT did not ask for",
  "authentication-unexpected": "no authentication is under way",
  "authentication-method-changed": "it names another authentication method than CONNECT",
  "subscription-identifier-from-client": "a client's message has no subscription identifier",
  "qos-not-supported": "its QoS is above the Maximum QoS of the server",
  "retain-not-supported": "the server takes no retained messages",
  "wildcard-not-supported": "the server takes no wildcards in topic filters",
  "shared-not-supported": "the server takes no shared subscriptions",
  "subscription-identifier-not-supported": "the server takes no subscription identifiers",
};

function withoutStack(...details: ConstructorParameters<typeof SessionError>): SessionError {
  const { stackTraceLimit } = V8Error;
  V8Error.stackTraceLimit = 0;
  try {
    return new SessionError(...details);
  } finally {
    V8Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Engines without it ignore it. */
const V8Error: { stackTraceLimit?: number | undefined } = Error as object;
