import type { PacketType, ReasonCode } from "@tidewire/codec";

/*
 * The numbers on the wire that this package knows, as single constants: a bundler puts them in place, where the objects
 * of the codec would go along whole. Their types make sure that they agree.
 */

export const CONNECT: typeof PacketType.CONNECT = 1;
export const CONNACK: typeof PacketType.CONNACK = 2;
export const PUBLISH: typeof PacketType.PUBLISH = 3;
export const PUBACK: typeof PacketType.PUBACK = 4;
export const PUBREC: typeof PacketType.PUBREC = 5;
export const PUBREL: typeof PacketType.PUBREL = 6;
export const PUBCOMP: typeof PacketType.PUBCOMP = 7;
export const SUBSCRIBE: typeof PacketType.SUBSCRIBE = 8;
export const SUBACK: typeof PacketType.SUBACK = 9;
export const UNSUBSCRIBE: typeof PacketType.UNSUBSCRIBE = 10;
export const UNSUBACK: typeof PacketType.UNSUBACK = 11;
export const PINGREQ: typeof PacketType.PINGREQ = 12;
export const PINGRESP: typeof PacketType.PINGRESP = 13;
export const DISCONNECT: typeof PacketType.DISCONNECT = 14;
export const AUTH: typeof PacketType.AUTH = 15;

export const SUCCESS: typeof ReasonCode.Success = 0x00;
export const CONTINUE_AUTHENTICATION: typeof ReasonCode.ContinueAuthentication = 0x18;
export const RE_AUTHENTICATE: typeof ReasonCode.ReAuthenticate = 0x19;
/** From here on a reason code says that something failed (MQTT 5.0, 2.4). */
export const FIRST_FAILURE: typeof ReasonCode.UnspecifiedError = 0x80;
export const UNSPECIFIED_ERROR: typeof ReasonCode.UnspecifiedError = 0x80;
export const PROTOCOL_ERROR: typeof ReasonCode.ProtocolError = 0x82;
export const IMPLEMENTATION_SPECIFIC_ERROR: typeof ReasonCode.ImplementationSpecificError = 0x83;
export const UNSUPPORTED_PROTOCOL_VERSION: typeof ReasonCode.UnsupportedProtocolVersion = 0x84;
export const KEEP_ALIVE_TIMEOUT: typeof ReasonCode.KeepAliveTimeout = 0x8d;
export const PACKET_IDENTIFIER_IN_USE: typeof ReasonCode.PacketIdentifierInUse = 0x91;
export const PACKET_IDENTIFIER_NOT_FOUND: typeof ReasonCode.PacketIdentifierNotFound = 0x92;
export const PACKET_TOO_LARGE: typeof ReasonCode.PacketTooLarge = 0x95;
