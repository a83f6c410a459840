import type { ProtocolVersion } from "./packets.ts";
import type { SenderSide } from "./reader.ts";
import { fail, notInVersion, reasonCodeInvalid } from "./rules.ts";

/** MQTT 5 reason codes by name (MQTT 5.0, 2.4). Below 0x80 is success. */
export const ReasonCode = {
  Success: 0x00,
  NormalDisconnection: 0x00,
  GrantedQoS0: 0x00,
  GrantedQoS1: 0x01,
  GrantedQoS2: 0x02,
  DisconnectWithWillMessage: 0x04,
  NoMatchingSubscribers: 0x10,
  NoSubscriptionExisted: 0x11,
  ContinueAuthentication: 0x18,
  ReAuthenticate: 0x19,
  UnspecifiedError: 0x80,
  MalformedPacket: 0x81,
  ProtocolError: 0x82,
  ImplementationSpecificError: 0x83,
  UnsupportedProtocolVersion: 0x84,
  ClientIdentifierNotValid: 0x85,
  BadUserNameOrPassword: 0x86,
  NotAuthorized: 0x87,
  ServerUnavailable: 0x88,
  ServerBusy: 0x89,
  Banned: 0x8a,
  ServerShuttingDown: 0x8b,
  BadAuthenticationMethod: 0x8c,
  KeepAliveTimeout: 0x8d,
  SessionTakenOver: 0x8e,
  TopicFilterInvalid: 0x8f,
  TopicNameInvalid: 0x90,
  PacketIdentifierInUse: 0x91,
  PacketIdentifierNotFound: 0x92,
  ReceiveMaximumExceeded: 0x93,
  TopicAliasInvalid: 0x94,
  PacketTooLarge: 0x95,
  MessageRateTooHigh: 0x96,
  QuotaExceeded: 0x97,
  AdministrativeAction: 0x98,
  PayloadFormatInvalid: 0x99,
  RetainNotSupported: 0x9a,
  QoSNotSupported: 0x9b,
  UseAnotherServer: 0x9c,
  ServerMoved: 0x9d,
  SharedSubscriptionsNotSupported: 0x9e,
  ConnectionRateExceeded: 0x9f,
  MaximumConnectTime: 0xa0,
  SubscriptionIdentifiersNotSupported: 0xa1,
  WildcardSubscriptionsNotSupported: 0xa2,
} as const;
export type ReasonCode = (typeof ReasonCode)[keyof typeof ReasonCode];

/** CONNACK return codes of MQTT 3.1 and 3.1.1 (MQTT 3.1.1, 3.2.2.3). */
export const ReturnCode = {
  Accepted: 0,
  UnacceptableProtocolVersion: 1,
  IdentifierRejected: 2,
  ServerUnavailable: 3,
  BadUserNameOrPassword: 4,
  NotAuthorized: 5,
} as const;
export type ReturnCode = (typeof ReturnCode)[keyof typeof ReturnCode];

/** Packets of MQTT 5 that carry a code, as bits `1 << packet type`; those of them that one side alone may send it in. */
export type ReasonCodeInfo = readonly [code: number, packets: number, clientOnly: number, serverOnly: number];

const CONNACK = 1 << 2;
const PUBLISHED = (1 << 4) | (1 << 5);
const RELEASED = (1 << 6) | (1 << 7);
const SUBACK = 1 << 9;
const UNSUBACK = 1 << 11;
const DISCONNECT = 1 << 14;
const AUTH = 1 << 15;
const REFUSALS = CONNACK | PUBLISHED | SUBACK | UNSUBACK | DISCONNECT;

/** Which packets carry which code (MQTT 5.0, table 2-6 and the tables of each packet). */
export const reasonCodes: readonly ReasonCodeInfo[] = [
  [0x00, REFUSALS | RELEASED | AUTH, 0, AUTH],
  [0x01, SUBACK, 0, 0],
  [0x02, SUBACK, 0, 0],
  [0x04, DISCONNECT, DISCONNECT, 0],
  [0x10, PUBLISHED, 0, PUBLISHED],
  [0x11, UNSUBACK, 0, 0],
  [0x18, AUTH, 0, 0],
  [0x19, AUTH, AUTH, 0],
  [0x80, REFUSALS, 0, 0],
  [0x81, CONNACK | DISCONNECT, 0, 0],
  [0x82, CONNACK | DISCONNECT, 0, 0],
  [0x83, REFUSALS, 0, 0],
  [0x84, CONNACK, 0, 0],
  [0x85, CONNACK, 0, 0],
  [0x86, CONNACK, 0, 0],
  [0x87, REFUSALS, 0, DISCONNECT],
  [0x88, CONNACK, 0, 0],
  [0x89, CONNACK | DISCONNECT, 0, DISCONNECT],
  [0x8a, CONNACK, 0, 0],
  [0x8b, DISCONNECT, 0, DISCONNECT],
  [0x8c, CONNACK | DISCONNECT, 0, DISCONNECT],
  [0x8d, DISCONNECT, 0, DISCONNECT],
  [0x8e, DISCONNECT, 0, DISCONNECT],
  [0x8f, SUBACK | UNSUBACK | DISCONNECT, 0, DISCONNECT],
  [0x90, CONNACK | PUBLISHED | DISCONNECT, 0, 0],
  [0x91, PUBLISHED | SUBACK | UNSUBACK, 0, 0],
  [0x92, RELEASED, 0, 0],
  [0x93, DISCONNECT, 0, 0],
  [0x94, DISCONNECT, 0, 0],
  [0x95, CONNACK | DISCONNECT, 0, 0],
  [0x96, DISCONNECT, 0, 0],
  [0x97, CONNACK | PUBLISHED | SUBACK | DISCONNECT, 0, 0],
  [0x98, DISCONNECT, 0, 0],
  [0x99, CONNACK | PUBLISHED | DISCONNECT, 0, 0],
  [0x9a, CONNACK | DISCONNECT, 0, DISCONNECT],
  [0x9b, CONNACK | DISCONNECT, 0, DISCONNECT],
  [0x9c, CONNACK | DISCONNECT, 0, DISCONNECT],
  [0x9d, CONNACK | DISCONNECT, 0, DISCONNECT],
  [0x9e, SUBACK | DISCONNECT, 0, DISCONNECT],
  [0x9f, CONNACK | DISCONNECT, 0, DISCONNECT],
  [0xa0, DISCONNECT, 0, DISCONNECT],
  [0xa1, SUBACK | DISCONNECT, 0, DISCONNECT],
  [0xa2, SUBACK | DISCONNECT, 0, DISCONNECT],
];

/** Statement that limits the codes of a packet type, where it is numbered. */
const statements: Readonly<Record<number, string>> = {
  2: "MQTT-3.2.2-8",
  4: "MQTT-3.4.2-1",
  5: "MQTT-3.5.2-1",
  6: "MQTT-3.6.2-1",
  7: "MQTT-3.7.2-1",
  14: "MQTT-3.14.2-1",
  15: "MQTT-3.15.2-1",
};

const byCode: ReadonlyMap<number, ReasonCodeInfo> = /* @__PURE__ */ new Map(reasonCodes.map((row) => [row[0], row]));

/** Returns a code that this packet type may carry in this version, sent by this side (0 = either); fails otherwise. */
export function checkReasonCode(code: number, type: number, version: ProtocolVersion, sender: SenderSide): number {
  if (version !== 5) return checkReturnCode(code, type, version);
  // Nearly every code is this one; only AUTH has it from the server alone.
  if (code === 0 && type !== 15) return code;
  const row = byCode.get(code);
  const bit = 1 << type;
  const notBySender = sender === 1 ? row?.[3] : sender === 2 ? row?.[2] : 0;
  if (row === undefined || (row[1] & bit & ~(notBySender ?? 0)) === 0) fail(reasonCodeInvalid, 5, statements[type]);
  return code;
}

/** MQTT 3: a return code in CONNACK, a granted QoS or failure in SUBACK [MQTT-3.9.3-2], none in the others. */
function checkReturnCode(code: number, type: number, version: ProtocolVersion): number {
  if (type === 2) return code >= 0 && code <= 5 ? code : fail(reasonCodeInvalid, version);
  if (type === 9) {
    return code === 0x80 || (code >= 0 && code <= 2) ? code : fail(reasonCodeInvalid, version, "MQTT-3.9.3-2");
  }
  return code === 0 ? code : fail(notInVersion, version);
}

/** Name of a reason code: `NotAuthorized`; of 0 `Success`; undefined for a code MQTT 5 does not define. */
export function reasonCodeName(code: number): string | undefined {
  return Object.keys(ReasonCode).find((name) => ReasonCode[name as keyof typeof ReasonCode] === code);
}
