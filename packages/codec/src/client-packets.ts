import { readAck, writeAck } from "./acks.ts";
import { ChunkWriter, type PacketEncoder, type PacketEncoders } from "./chunk-writer.ts";
import { readConnack } from "./connack.ts";
import { writeConnect } from "./connect.ts";
import type { Decoder, DecoderOptions } from "./decoder.ts";
import { readAuth, readDisconnect, writeAuth, writeDisconnect } from "./disconnect.ts";
import type { PacketWriter, PacketWriterOptions } from "./packet-writer.ts";
import { readPing, writePing } from "./ping.ts";
import { readPublish, writePublish } from "./publish.ts";
import { SERVER_SIDE } from "./sides.ts";
import { type PacketReaders, StreamDecoder } from "./stream-decoder.ts";
import { readSubscribeAck, writeSubscribe } from "./subscribe.ts";
import { writeUnsubscribe } from "./unsubscribe.ts";

const readers: PacketReaders = [
  undefined,
  undefined,
  readConnack,
  readPublish,
  readAck,
  readAck,
  readAck,
  readAck,
  undefined,
  readSubscribeAck,
  undefined,
  readSubscribeAck,
  undefined,
  readPing,
  readDisconnect,
  readAuth,
];

const encoders = [
  undefined,
  writeConnect,
  undefined,
  writePublish,
  writeAck,
  writeAck,
  writeAck,
  writeAck,
  writeSubscribe,
  undefined,
  writeUnsubscribe,
  undefined,
  writePing,
  undefined,
  writeDisconnect,
  writeAuth,
] as readonly (PacketEncoder<never> | undefined)[] as PacketEncoders;

/**
 * `createDecoder({ sender: "server" })`, but a bundle with it lacks what only servers need, and the text cache unless it is
 * handed in.
 */
export function createClientDecoder(options?: Omit<DecoderOptions, "sender">): Decoder {
  return new StreamDecoder(readers, SERVER_SIDE, options, options?.textCache);
}

/** `createPacketWriter` for the packets that a client sends; refuses the others with `packet-unexpected`. */
export function createClientPacketWriter(options?: PacketWriterOptions): PacketWriter {
  return new ChunkWriter(encoders, options);
}
