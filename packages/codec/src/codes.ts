/*
 * The numbers on the wire as single constants: a bundler puts them in place, where the objects `PacketType` and
 * `ReasonCode` would go along whole.
 */

export {
  AUTH,
  CONNACK,
  CONNECT,
  DISCONNECT,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  SUBSCRIBE,
  UNSUBACK,
  UNSUBSCRIBE,
} from "./packet-types.ts";
export {
  CONTINUE_AUTHENTICATION,
  FIRST_FAILURE,
  IMPLEMENTATION_SPECIFIC_ERROR,
  KEEP_ALIVE_TIMEOUT,
  PACKET_IDENTIFIER_IN_USE,
  PACKET_IDENTIFIER_NOT_FOUND,
  PACKET_TOO_LARGE,
  PROTOCOL_ERROR,
  RE_AUTHENTICATE,
  RECEIVE_MAXIMUM_EXCEEDED,
  SUCCESS,
  TOPIC_ALIAS_INVALID,
  UNSPECIFIED_ERROR,
  UNSUPPORTED_PROTOCOL_VERSION,
} from "./reason-code-numbers.ts";
