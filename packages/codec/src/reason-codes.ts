import { AUTH, CONNACK, DISCONNECT, PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK, UNSUBACK } from "./packet-types.ts";
import type { ProtocolVersion } from "./packets.ts";
import { fail, notInVersion, reasonCodeInvalid } from "./rules.ts";
import { CLIENT_SIDE, SERVER_SIDE, type SenderSide } from "./sides.ts";

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
 * Codes of one packet type as patterns of two hexadecimal digits, behind an S those that only servers send and behind a C
 * those that only clients do, with the statement that says so where numbered.
 */
type Codes = readonly [statement: string | undefined, codes: RegExp];

/** Which codes go with which packet in MQTT 5 (MQTT 5.0, table 2-6 and the tables of each packet). */
const codesOf: Readonly<Record<number, Codes>> = {
  [CONNACK]: ["3.2.2-8", /00|8[0-9ac]|9[0579a-df]/],
  // 0x10 is said to come from servers only; clients that send it mean a success, and are understood.
  [PUBACK]: ["3.4.2-1", /00|10|8[037]|9[0179]/],
  [PUBREC]: ["3.5.2-1", /00|10|8[037]|9[0179]/],
  [PUBREL]: ["3.6.2-1", /00|92/],
  [PUBCOMP]: ["3.7.2-1", /00|92/],
  [SUBACK]: [undefined, /0[0-2]|8[037f]|9[17e]|a[12]/],
  [UNSUBACK]: [undefined, /00|11|8[037f]|91/],
  [DISCONNECT]: ["3.14.2-1", /00|C04|8[0-3]|9[03-9]|S(8[79b-f]|9[a-f]|a[0-2])/],
  [AUTH]: ["3.15.2-1", /S00|18|C19/],
};

/** MQTT 3 has a return code in CONNACK and a granted QoS or failure in SUBACK; what has none must have 0. */
const codesOf3: Readonly<Record<number, Codes>> = {
  [CONNACK]: [undefined, /0[0-5]/],
  [SUBACK]: ["3.9.3-2", /0[0-2]|80/],
};
const NONE: Codes = [undefined, /00/];

/** Returns a code that this packet type may carry in this version, sent by this side; fails otherwise. */
export function checkReasonCode(
  code: number,
  type: number,
  where: { readonly version: ProtocolVersion; readonly sender?: SenderSide },
): number {
  // Nearly every code is 0; in AUTH alone it comes from servers only.
  if (code === 0 && type !== AUTH) {
    return code;
  }
  const codes = (where.version === 5 ? codesOf : codesOf3)[type] ?? NONE;
  if (hasCode(codes, code, where.sender)) {
    return code;
  }
  return fail(codes === NONE ? notInVersion : reasonCodeInvalid, where, codes[0]);
}

function hasCode([, codes]: Codes, code: number, sender: SenderSide | undefined): boolean {
  if (code !== (code & 0xff)) {
    return false;
  }
  const digits = code.toString(16).padStart(2, "0");
  return (sender !== CLIENT_SIDE && codes.test(`S${digits}`)) || (sender !== SERVER_SIDE && codes.test(`C${digits}`));
}

/**
 * `packets` are the packets of MQTT 5 that carry the code, as a sum of bits `1 << packet type`; those that only a server
 * or only a client may send with it are in `server` or `client` instead.
 */
export type ReasonCodeInfo = readonly [code: number, packets: number, server: number, client: number];

/** Every reason code with the packets that carry it, by ascending code. */
export const reasonCodes: readonly ReasonCodeInfo[] = /* @__PURE__ */ (() =>
  [...new Set(Object.values(ReasonCode))]
    .sort((a, b) => a - b)
    .map((code) => {
      const packets = (sender: SenderSide): number => {
        const types = Object.entries(codesOf).filter(([, codes]) => hasCode(codes, code, sender));
        return types.reduce((bits, [type]) => bits | (1 << Number(type)), 0);
      };
      const server = packets(SERVER_SIDE);
      const client = packets(CLIENT_SIDE);
      return [code, server & client, server & ~client, client & ~server] as const;
    }))();

/** Name of a reason code: `NotAuthorized`; of 0 `Success`; undefined for a code MQTT 5 does not define. */
export function reasonCodeName(code: number): string | undefined {
  return Object.keys(ReasonCode).find((name) => ReasonCode[name as keyof typeof ReasonCode] === code);
}
