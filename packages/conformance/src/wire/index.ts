export { ByteReader, bytes, concat, field, type Text, uint16, uint32, utf8, varint } from "./bytes.ts";
export {
  allOf,
  type ConnectFields,
  decodePacket,
  numberProperty,
  PacketSplitter,
  property,
  type WirePacket,
} from "./decode.ts";
export {
  ack,
  auth,
  type ConnectOptions,
  connack,
  connect,
  connectFlags,
  disconnect,
  type PublishOptions,
  packet,
  pingreq,
  pingresp,
  publish,
  type Subscription,
  suback,
  subscribe,
  unsuback,
  unsubscribe,
  type WillOptions,
} from "./encode.ts";
export {
  decodeProperties,
  encodeProperties,
  encodeProperty,
  PROPERTY_NAMES,
  type Property,
  type PropertyName,
} from "./properties.ts";
export { describePacket, expectedFlags, Transcript } from "./transcript.ts";
export { Type, type TypeName, typeName } from "./types.ts";
