import {
  AUTH,
  AUTH_BIT,
  CONNACK,
  CONNACK_BIT,
  DISCONNECT,
  DISCONNECT_BIT,
  PUBACK,
  PUBACK_BIT,
  PUBCOMP,
  PUBCOMP_BIT,
  PUBREC,
  PUBREC_BIT,
  PUBREL,
  PUBREL_BIT,
  SUBACK,
  SUBACK_BIT,
  UNSUBACK_BIT,
} from "./packet-types.ts";
import type { ProtocolVersion } from "./packets.ts";
import { CLIENT_SIDE, EITHER_SIDE, SERVER_SIDE, type SenderSide } from "./reader.ts";
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

/**
 * `packets` are the packets of MQTT 5 that carry the code, as a sum of bits `1 << packet type`; those that only a server
 * or only a client may send with it are in `server` or `client` instead.
 */
export type ReasonCodeInfo = readonly [code: number, packets: number, server?: number, client?: number];

const PUBLISHED = PUBACK_BIT | PUBREC_BIT;
const RELEASED = PUBREL_BIT | PUBCOMP_BIT;
const REFUSALS = CONNACK_BIT | PUBLISHED | SUBACK_BIT | UNSUBACK_BIT;

/** Which packets carry which code (MQTT 5.0, table 2-6 and the tables of each packet). */
export const reasonCodes: readonly ReasonCodeInfo[] = [
  [0x00, REFUSALS | RELEASED | DISCONNECT_BIT, AUTH_BIT],
  [0x01, SUBACK_BIT],
  [0x02, SUBACK_BIT],
  [0x04, 0, 0, DISCONNECT_BIT],
  [0x10, 0, PUBLISHED],
  [0x11, UNSUBACK_BIT],
  [0x18, AUTH_BIT],
  [0x19, 0, 0, AUTH_BIT],
  [0x80, REFUSALS | DISCONNECT_BIT],
  [0x81, CONNACK_BIT | DISCONNECT_BIT],
  [0x82, CONNACK_BIT | DISCONNECT_BIT],
  [0x83, REFUSALS | DISCONNECT_BIT],
  [0x84, CONNACK_BIT],
  [0x85, CONNACK_BIT],
  [0x86, CONNACK_BIT],
  [0x87, REFUSALS, DISCONNECT_BIT],
  [0x88, CONNACK_BIT],
  [0x89, CONNACK_BIT, DISCONNECT_BIT],
  [0x8a, CONNACK_BIT],
  [0x8b, 0, DISCONNECT_BIT],
  [0x8c, CONNACK_BIT, DISCONNECT_BIT],
  [0x8d, 0, DISCONNECT_BIT],
  [0x8e, 0, DISCONNECT_BIT],
  [0x8f, SUBACK_BIT | UNSUBACK_BIT, DISCONNECT_BIT],
  [0x90, CONNACK_BIT | PUBLISHED | DISCONNECT_BIT],
  [0x91, PUBLISHED | SUBACK_BIT | UNSUBACK_BIT],
  [0x92, RELEASED],
  [0x93, DISCONNECT_BIT],
  [0x94, DISCONNECT_BIT],
  [0x95, CONNACK_BIT | DISCONNECT_BIT],
  [0x96, DISCONNECT_BIT],
  [0x97, CONNACK_BIT | PUBLISHED | SUBACK_BIT | DISCONNECT_BIT],
  [0x98, DISCONNECT_BIT],
  [0x99, CONNACK_BIT | PUBLISHED | DISCONNECT_BIT],
  [0x9a, CONNACK_BIT, DISCONNECT_BIT],
  [0x9b, CONNACK_BIT, DISCONNECT_BIT],
  [0x9c, CONNACK_BIT, DISCONNECT_BIT],
  [0x9d, CONNACK_BIT, DISCONNECT_BIT],
  [0x9e, SUBACK_BIT, DISCONNECT_BIT],
  [0x9f, CONNACK_BIT, DISCONNECT_BIT],
  [0xa0, 0, DISCONNECT_BIT],
  [0xa1, SUBACK_BIT, DISCONNECT_BIT],
  [0xa2, SUBACK_BIT, DISCONNECT_BIT],
];

/** Statement that limits the codes of a packet type, where it is numbered. */
const statements: Readonly<Record<number, string>> = {
  [CONNACK]: "3.2.2-8",
  [PUBACK]: "3.4.2-1",
  [PUBREC]: "3.5.2-1",
  [PUBREL]: "3.6.2-1",
  [PUBCOMP]: "3.7.2-1",
  [DISCONNECT]: "3.14.2-1",
  [AUTH]: "3.15.2-1",
};

/** Returns a code that this packet type may carry in this version, sent by this side; fails otherwise. */
export function checkReasonCode(
  code: number,
  type: number,
  where: { readonly version: ProtocolVersion },
  sender: SenderSide = EITHER_SIDE,
): number {
  if (where.version !== 5) return checkReturnCode(code, type, where);
  // Nearly every code is 0; in AUTH alone it comes from servers only.
  if (code === 0 && type !== AUTH) return code;
  const [, packets, server = 0, client = 0] = reasonCodes.find((row) => row[0] === code) ?? [0, 0];
  const bits = packets | (sender === CLIENT_SIDE ? 0 : server) | (sender === SERVER_SIDE ? 0 : client);
  return (bits >> type) & 1 ? code : fail(reasonCodeInvalid, where, statements[type]);
}

/** MQTT 3: a return code in CONNACK, a granted QoS or failure in SUBACK [MQTT-3.9.3-2], none in the others. */
function checkReturnCode(code: number, type: number, where: { readonly version: ProtocolVersion }): number {
  const largest = type === CONNACK ? 5 : type === SUBACK ? 2 : 0;
  if ((code >= 0 && code <= largest) || (type === SUBACK && code === 0x80)) return code;
  return fail(largest > 0 ? reasonCodeInvalid : notInVersion, where, type === SUBACK ? "3.9.3-2" : undefined);
}

/** Name of a reason code: `NotAuthorized`; of 0 `Success`; undefined for a code MQTT 5 does not define. */
export function reasonCodeName(code: number): string | undefined {
  return Object.keys(ReasonCode).find((name) => ReasonCode[name as keyof typeof ReasonCode] === code);
}
