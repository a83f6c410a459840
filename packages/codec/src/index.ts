export { createDecoder, createPacketWriter, decode, encode, encodedLength } from "./all-packets.ts";
export { createClientDecoder, createClientPacketWriter } from "./client-packets.ts";
export type { Decoder, DecoderOptions } from "./decoder.ts";
export { packetIdOffset } from "./encoded-packets.ts";
export { MqttError, ProtocolError, type ProtocolErrorOptions } from "./errors.ts";
export type { PacketWriter, PacketWriterOptions } from "./packet-writer.ts";
export type {
  AckPacket,
  AuthPacket,
  ConnackPacket,
  ConnectPacket,
  DisconnectPacket,
  EncodedPacket,
  Packet,
  PingreqPacket,
  PingrespPacket,
  Properties,
  ProtocolVersion,
  PubackPacket,
  PubcompPacket,
  PublishPacket,
  PubrecPacket,
  PubrelPacket,
  QoS,
  SubackPacket,
  SubscribePacket,
  SubscriptionRequest,
  UnsubackPacket,
  UnsubscribePacket,
  UserProperty,
  Will,
} from "./packets.ts";
export { PacketType } from "./packets.ts";
export { type PropertyInfo, properties, type WireType } from "./properties.ts";
export { ReasonCode, type ReasonCodeInfo, ReturnCode, reasonCodeName, reasonCodes } from "./reason-codes.ts";
export { reasonCodeFor, returnCodeFor } from "./return-codes.ts";
export { errorOf, type Rule } from "./rules.ts";
export {
  decodeAuth,
  decodeConnack,
  decodeConnect,
  decodeDisconnect,
  decodePingreq,
  decodePingresp,
  decodePuback,
  decodePubcomp,
  decodePublish,
  decodePubrec,
  decodePubrel,
  decodeSuback,
  decodeSubscribe,
  decodeUnsuback,
  decodeUnsubscribe,
  encodeAuth,
  encodeConnack,
  encodeConnect,
  encodeDisconnect,
  encodePingreq,
  encodePingresp,
  encodePuback,
  encodePubcomp,
  encodePublish,
  encodePubrec,
  encodePubrel,
  encodeSuback,
  encodeSubscribe,
  encodeUnsuback,
  encodeUnsubscribe,
} from "./single-packets.ts";
export type { TextCache } from "./text-cache.ts";
export { textCache } from "./text-cache.ts";
export {
  excludedFilter,
  type FilterAvailability,
  hasWildcard,
  isSharedFilter,
  matches,
  parseSharedFilter,
  type SharedFilter,
  sharedPrefixLength,
  type TopicLimits,
  validateTopicFilter,
  validateTopicName,
} from "./topics.ts";
