import type { ReasonCode } from "./reason-codes.ts";

/*
 * Of `ReasonCode`, as single constants, what sessions know. Nothing else is in this file, since bundlers put constants in
 * place only of files that have no more than that.
 */

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
export const RECEIVE_MAXIMUM_EXCEEDED: typeof ReasonCode.ReceiveMaximumExceeded = 0x93;
export const TOPIC_ALIAS_INVALID: typeof ReasonCode.TopicAliasInvalid = 0x94;
export const PACKET_TOO_LARGE: typeof ReasonCode.PacketTooLarge = 0x95;
