/** The packets of MQTT 3.1, 3.1.1 and 5.0 as objects: what `decode` gives and `encode` takes. */

/** Protocol level byte of CONNECT: 3 = MQTT 3.1, 4 = MQTT 3.1.1, 5 = MQTT 5.0. */
export type ProtocolVersion = 3 | 4 | 5;

/** Quality of service: 0 at most once, 1 at least once, 2 exactly once. */
export type QoS = 0 | 1 | 2;

/** Control packet type, the high four bits of the first byte (MQTT 5.0, 2.1.2). */
export const PacketType = {
  CONNECT: 1,
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  SUBACK: 9,
  UNSUBSCRIBE: 10,
  UNSUBACK: 11,
  PINGREQ: 12,
  PINGRESP: 13,
  DISCONNECT: 14,
  AUTH: 15,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** Name and value, both UTF-8; order and duplicates are kept. */
export type UserProperty = readonly [name: string, value: string];

/**
 * Every MQTT 5 property under its specification name. A packet's `properties` holds only those that were on the wire
 * (or are to be sent); which ones a packet may carry is checked both ways. Absent properties and 3.x: `undefined`.
 */
export interface Properties {
  payloadFormatIndicator?: 0 | 1;
  /** Seconds, 0 to 0xFFFFFFFF. */
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  /** In the order received; several on a PUBLISH from a server, at most one on a SUBSCRIBE. 1 to 268,435,455. */
  subscriptionIdentifiers?: readonly number[];
  /** Seconds, 0 to 0xFFFFFFFF (never expires). */
  sessionExpiryInterval?: number;
  assignedClientIdentifier?: string;
  /** Seconds, 0 to 65,535. */
  serverKeepAlive?: number;
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
  requestProblemInformation?: boolean;
  /** Seconds, 0 to 0xFFFFFFFF. */
  willDelayInterval?: number;
  requestResponseInformation?: boolean;
  responseInformation?: string;
  serverReference?: string;
  reasonString?: string;
  /** 1 to 65,535. */
  receiveMaximum?: number;
  /** 0 to 65,535. */
  topicAliasMaximum?: number;
  /** 1 to 65,535. */
  topicAlias?: number;
  maximumQoS?: 0 | 1;
  retainAvailable?: boolean;
  userProperties?: readonly UserProperty[];
  /** Bytes of a whole packet, 1 to 0xFFFFFFFF. */
  maximumPacketSize?: number;
  wildcardSubscriptionAvailable?: boolean;
  subscriptionIdentifierAvailable?: boolean;
  sharedSubscriptionAvailable?: boolean;
}

export interface Will {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties | undefined;
}

export interface ConnectPacket {
  readonly type: typeof PacketType.CONNECT;
  readonly version: ProtocolVersion;
  /**
   * Mosquitto's mark of a bridge, the high bit of the protocol level (0x83, 0x84), known to no specification: what it
   * published does not come back to it, and RETAIN comes as published. MQTT 5 has subscription options for that.
   */
  readonly bridge: boolean;
  readonly clientId: string;
  /** MQTT 5 Clean Start; in 3.x the Clean Session flag. */
  readonly cleanStart: boolean;
  /** Seconds, 0 to 65,535; 0 turns keep-alive off. */
  readonly keepAlive: number;
  readonly will: Will | undefined;
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
  readonly properties: Properties | undefined;
}

export interface ConnackPacket {
  readonly type: typeof PacketType.CONNACK;
  readonly sessionPresent: boolean;
  /** MQTT 5 reason code, or the 3.x return code (0 to 5): the byte as it is on the wire. */
  readonly reasonCode: number;
  readonly properties: Properties | undefined;
}

export interface PublishPacket {
  readonly type: typeof PacketType.PUBLISH;
  /** Empty only in MQTT 5 with a topic alias. */
  readonly topic: string;
  /** Decoded: a view of the received chunk, valid as long as it is referenced, shared with the chunk's other packets. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  /** 1 to 65,535; 0 (none on the wire) with QoS 0. */
  readonly packetId: number;
  readonly properties: Properties | undefined;
}

/** PUBACK, PUBREC, PUBREL, PUBCOMP. In 3.x `reasonCode` is 0 and `properties` undefined. */
export interface AckPacket<Type extends 4 | 5 | 6 | 7 = 4 | 5 | 6 | 7> {
  readonly type: Type;
  readonly packetId: number;
  readonly reasonCode: number;
  readonly properties: Properties | undefined;
}
export type PubackPacket = AckPacket<typeof PacketType.PUBACK>;
export type PubrecPacket = AckPacket<typeof PacketType.PUBREC>;
export type PubrelPacket = AckPacket<typeof PacketType.PUBREL>;
export type PubcompPacket = AckPacket<typeof PacketType.PUBCOMP>;

/** One topic filter of a SUBSCRIBE with its options; the last three are false/0 in 3.x. */
export interface SubscriptionRequest {
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0 send retained messages, 1 only for a new subscription, 2 never. */
  readonly retainHandling: 0 | 1 | 2;
}

export interface SubscribePacket {
  readonly type: typeof PacketType.SUBSCRIBE;
  readonly packetId: number;
  readonly subscriptions: readonly SubscriptionRequest[];
  readonly properties: Properties | undefined;
}

export interface SubackPacket {
  readonly type: typeof PacketType.SUBACK;
  readonly packetId: number;
  /** One a filter, in order: granted QoS, or an error from 0x80. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties | undefined;
}

export interface UnsubscribePacket {
  readonly type: typeof PacketType.UNSUBSCRIBE;
  readonly packetId: number;
  readonly filters: readonly string[];
  readonly properties: Properties | undefined;
}

export interface UnsubackPacket {
  readonly type: typeof PacketType.UNSUBACK;
  readonly packetId: number;
  /** One a filter, in order; empty in 3.x, whose UNSUBACK has no payload. */
  readonly reasonCodes: readonly number[];
  readonly properties: Properties | undefined;
}

export interface PingreqPacket {
  readonly type: typeof PacketType.PINGREQ;
}

export interface PingrespPacket {
  readonly type: typeof PacketType.PINGRESP;
}

export interface DisconnectPacket {
  readonly type: typeof PacketType.DISCONNECT;
  /** 0 in 3.x. */
  readonly reasonCode: number;
  readonly properties: Properties | undefined;
}

/** MQTT 5 only. */
export interface AuthPacket {
  readonly type: typeof PacketType.AUTH;
  readonly reasonCode: number;
  readonly properties: Properties | undefined;
}

/**
 * A whole valid packet, encoded before and written as it is, so that one encoding serves many receivers. No packet of MQTT
 * has its type.
 */
export interface EncodedPacket {
  readonly type: 0;
  /** Never changed: with a `packetIdOffset` they go out with `packetId` in place of theirs. */
  readonly bytes: Uint8Array;
  /** As `packetIdOffset(bytes)` tells; 0 for a packet without identifier. */
  readonly packetIdOffset: number;
  /** Set anew for each receiver. */
  packetId: number;
}

export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | PubackPacket
  | PubrecPacket
  | PubrelPacket
  | PubcompPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket;
