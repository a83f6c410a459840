import type { ReasonCode } from "./reason-codes.ts";

/*
 * `ReasonCode` as single constants, which is how the packages write them. Nothing else is in this file, since bundlers put constants in
 * place only of files that have no more than that.
 */

export const SUCCESS: typeof ReasonCode.Success = 0x00;
export const NORMAL_DISCONNECTION: typeof ReasonCode.NormalDisconnection = 0x00;
export const GRANTED_QOS_0: typeof ReasonCode.GrantedQoS0 = 0x00;
export const GRANTED_QOS_1: typeof ReasonCode.GrantedQoS1 = 0x01;
export const GRANTED_QOS_2: typeof ReasonCode.GrantedQoS2 = 0x02;
export const DISCONNECT_WITH_WILL_MESSAGE: typeof ReasonCode.DisconnectWithWillMessage = 0x04;
export const NO_MATCHING_SUBSCRIBERS: typeof ReasonCode.NoMatchingSubscribers = 0x10;
export const NO_SUBSCRIPTION_EXISTED: typeof ReasonCode.NoSubscriptionExisted = 0x11;
export const CONTINUE_AUTHENTICATION: typeof ReasonCode.ContinueAuthentication = 0x18;
export const RE_AUTHENTICATE: typeof ReasonCode.ReAuthenticate = 0x19;
/** From here on a reason code says that something failed (MQTT 5.0, 2.4). */
export const FIRST_FAILURE: typeof ReasonCode.UnspecifiedError = 0x80;
export const UNSPECIFIED_ERROR: typeof ReasonCode.UnspecifiedError = 0x80;
export const MALFORMED_PACKET: typeof ReasonCode.MalformedPacket = 0x81;
export const PROTOCOL_ERROR: typeof ReasonCode.ProtocolError = 0x82;
export const IMPLEMENTATION_SPECIFIC_ERROR: typeof ReasonCode.ImplementationSpecificError = 0x83;
export const UNSUPPORTED_PROTOCOL_VERSION: typeof ReasonCode.UnsupportedProtocolVersion = 0x84;
export const CLIENT_IDENTIFIER_NOT_VALID: typeof ReasonCode.ClientIdentifierNotValid = 0x85;
export const BAD_USER_NAME_OR_PASSWORD: typeof ReasonCode.BadUserNameOrPassword = 0x86;
export const NOT_AUTHORIZED: typeof ReasonCode.NotAuthorized = 0x87;
export const SERVER_UNAVAILABLE: typeof ReasonCode.ServerUnavailable = 0x88;
export const SERVER_BUSY: typeof ReasonCode.ServerBusy = 0x89;
export const BANNED: typeof ReasonCode.Banned = 0x8a;
export const SERVER_SHUTTING_DOWN: typeof ReasonCode.ServerShuttingDown = 0x8b;
export const BAD_AUTHENTICATION_METHOD: typeof ReasonCode.BadAuthenticationMethod = 0x8c;
export const KEEP_ALIVE_TIMEOUT: typeof ReasonCode.KeepAliveTimeout = 0x8d;
export const SESSION_TAKEN_OVER: typeof ReasonCode.SessionTakenOver = 0x8e;
export const TOPIC_FILTER_INVALID: typeof ReasonCode.TopicFilterInvalid = 0x8f;
export const TOPIC_NAME_INVALID: typeof ReasonCode.TopicNameInvalid = 0x90;
export const PACKET_IDENTIFIER_IN_USE: typeof ReasonCode.PacketIdentifierInUse = 0x91;
export const PACKET_IDENTIFIER_NOT_FOUND: typeof ReasonCode.PacketIdentifierNotFound = 0x92;
export const RECEIVE_MAXIMUM_EXCEEDED: typeof ReasonCode.ReceiveMaximumExceeded = 0x93;
export const TOPIC_ALIAS_INVALID: typeof ReasonCode.TopicAliasInvalid = 0x94;
export const PACKET_TOO_LARGE: typeof ReasonCode.PacketTooLarge = 0x95;
export const MESSAGE_RATE_TOO_HIGH: typeof ReasonCode.MessageRateTooHigh = 0x96;
export const QUOTA_EXCEEDED: typeof ReasonCode.QuotaExceeded = 0x97;
export const ADMINISTRATIVE_ACTION: typeof ReasonCode.AdministrativeAction = 0x98;
export const PAYLOAD_FORMAT_INVALID: typeof ReasonCode.PayloadFormatInvalid = 0x99;
export const RETAIN_NOT_SUPPORTED: typeof ReasonCode.RetainNotSupported = 0x9a;
export const QOS_NOT_SUPPORTED: typeof ReasonCode.QoSNotSupported = 0x9b;
export const USE_ANOTHER_SERVER: typeof ReasonCode.UseAnotherServer = 0x9c;
export const SERVER_MOVED: typeof ReasonCode.ServerMoved = 0x9d;
export const SHARED_SUBSCRIPTIONS_NOT_SUPPORTED: typeof ReasonCode.SharedSubscriptionsNotSupported = 0x9e;
export const CONNECTION_RATE_EXCEEDED: typeof ReasonCode.ConnectionRateExceeded = 0x9f;
export const MAXIMUM_CONNECT_TIME: typeof ReasonCode.MaximumConnectTime = 0xa0;
export const SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED: typeof ReasonCode.SubscriptionIdentifiersNotSupported = 0xa1;
export const WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED: typeof ReasonCode.WildcardSubscriptionsNotSupported = 0xa2;
