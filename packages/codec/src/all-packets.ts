import { readAck, writeAck } from "./acks.ts";
import { ChunkWriter, encodeAlone, measure, type PacketEncoder, type PacketEncoders } from "./chunk-writer.ts";
import { readConnack, writeConnack } from "./connack.ts";
import { readConnect, writeConnect } from "./connect.ts";
import type { Decoder, DecoderOptions } from "./decoder.ts";
import { readAuth, readDisconnect, writeAuth, writeDisconnect } from "./disconnect.ts";
import { writeEncoded } from "./encoded-packets.ts";
import type { MqttError } from "./errors.ts";
import type { PacketWriter, PacketWriterOptions } from "./packet-writer.ts";
import type { Packet, ProtocolVersion } from "./packets.ts";
import { readPing, writePing } from "./ping.ts";
import { readPublish, writePublish } from "./publish.ts";
import { CLIENT_SIDE, EITHER_SIDE, SERVER_SIDE } from "./sides.ts";
import { decodeAlone, type PacketReaders, StreamDecoder } from "./stream-decoder.ts";
import { readSubscribe, readSubscribeAck, writeSubscribe, writeSubscribeAck } from "./subscribe.ts";
import { textCache } from "./text-cache.ts";
import { readUnsubscribe, writeUnsubscribe } from "./unsubscribe.ts";

const readers: PacketReaders = [
  undefined,
  readConnect,
  readConnack,
  readPublish,
  readAck,
  readAck,
  readAck,
  readAck,
  readSubscribe,
  readSubscribeAck,
  readUnsubscribe,
  readSubscribeAck,
  readPing,
  readPing,
  readDisconnect,
  readAuth,
];

const encoders = [
  writeEncoded,
  writeConnect,
  writeConnack,
  writePublish,
  writeAck,
  writeAck,
  writeAck,
  writeAck,
  writeSubscribe,
  writeSubscribeAck,
  writeUnsubscribe,
  writeSubscribeAck,
  writePing,
  writePing,
  writeDisconnect,
  writeAuth,
] as readonly (PacketEncoder<never> | undefined)[] as PacketEncoders;

/** Packet types (bits) that a client and a server send: the half a decoder with a `sender` is left with. */
const SENT_BY_CLIENT = 0b1101_0101_1111_1010;
const SENT_BY_SERVER = 0b1110_1010_1111_1100;

/** A decoder of all packets. A server's one follows the version of the CONNECT it reads. */
export function createDecoder(options?: DecoderOptions): Decoder {
  const sender = options?.sender;
  const texts = options?.textCache ?? textCache;
  if (sender === undefined) {
    return new NamingDecoder(readers, EITHER_SIDE, options, texts);
  }
  return sender === "client"
    ? new NamingDecoder(clientReaders, CLIENT_SIDE, options, texts)
    : new NamingDecoder(serverReaders, SERVER_SIDE, options, texts);
}

/** Its errors say of which packet they are. */
class NamingDecoder extends StreamDecoder {
  override next(): Packet | null {
    try {
      return super.next();
    } catch (error) {
      const { version, packetType } = this.reader;
      throw Object.assign(error as MqttError, { version, packetType });
    }
  }
}

/** A writer of all packets. */
export function createPacketWriter(options?: PacketWriterOptions): PacketWriter {
  return new ChunkWriter(encoders, options);
}

/** The bytes of one packet. Throws `MqttError` on an invalid one. */
export function encode(packet: Packet, version: ProtocolVersion): Uint8Array {
  return encodeAlone(encoders[packet.type], packet, version);
}

/** How many bytes `encode` would give. Throws as it does. */
export function encodedLength(packet: Packet, version: ProtocolVersion): number {
  return measure(encoders[packet.type], packet, version);
}

/** The one packet that these bytes are, no more and no less. CONNECT is read in the version it names. */
export function decode(bytes: Uint8Array, version: ProtocolVersion): Packet {
  return decodeAlone(readers, bytes, version);
}

const clientReaders = /* @__PURE__ */ only(SENT_BY_CLIENT);
const serverReaders = /* @__PURE__ */ only(SENT_BY_SERVER);

function only(types: number): PacketReaders {
  return readers.map((reader, type) => ((types >> type) & 1 ? reader : undefined));
}
