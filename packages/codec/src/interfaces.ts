import type { EncodedPacket, Packet, ProtocolVersion } from "./packets.ts";

export interface DecoderOptions {
  /**
   * The version packets are read in. Default 4. A server's decoder follows the first CONNECT that it decodes
   * by itself, so that what comes behind it in the same chunk is read right.
   */
  readonly version?: ProtocolVersion;
  /** Bytes of a whole packet, fixed header included; a longer one fails when its fixed header is complete. */
  readonly maximumPacketSize?: number;
  /** Whose packets are read. When given, packet types and reason codes of the other side alone are refused. */
  readonly sender?: "client" | "server";
  /**
   * Makes texts, the short way where the platform has one, and remembers those that come again and again. The one there is,
   * `textCache`, is the default of `createDecoder`; `createClientDecoder` has it when it is given, and a bundle without it is
   * smaller.
   */
  readonly textCache?: TextCache;
}

/** Texts by their bytes. */
export interface TextCache {
  /** The text of these bytes, if it is known; a topic name is not found as another text, nor the other way round. */
  find(bytes: Uint8Array, start: number, end: number, isTopicName: boolean): string | undefined;
  /** A text that is not known yet; throws on ill-formed UTF-8. */
  make(bytes: Uint8Array, start: number, end: number): string;
  /** Takes the valid text that was not found just now. */
  offer(text: string): void;
}

/** Bytes in, packets out. Never calls back; throws only `MqttError`, after which it gives nothing more. */
export interface Decoder {
  version: ProtocolVersion;
  maximumPacketSize: number;
  /** Bytes held that no complete packet has consumed yet. */
  readonly bufferedBytes: number;
  /** Takes a chunk; it must not be changed afterwards, since payloads are views of it. */
  push(chunk: Uint8Array): void;
  /** The next whole packet, or null until more bytes come. */
  next(): Packet | null;
  /** The whole bytes of the packet `next` returned last, for forwarding unchanged; a view. Ask before the next `next`. */
  lastPacketBytes(): Uint8Array;
  /** The stream ended: throws when it did so inside a packet. */
  end(): void;
}

export interface PacketWriterOptions {
  /** The version packets are written in. Default 4. A client's writer follows the CONNECT that it writes. */
  readonly version?: ProtocolVersion;
  /** What the peer said it takes: a longer packet is refused with `packet-too-large`. Default: the largest there is. */
  readonly maximumPacketSize?: number;
}

/**
 * Collects packets as bytes until they leave together. What `take` returned stays valid and unchanged, so that it may
 * wait in a socket; small packets share chunks, a payload above about 512 bytes becomes a chunk of its own.
 */
export interface PacketWriter {
  version: ProtocolVersion;
  maximumPacketSize: number;
  readonly pendingBytes: number;
  /** Throws `MqttError` on an invalid packet before any byte is written. */
  write(packet: Packet | EncodedPacket): void;
  /** Everything written since the last `take`, in order; empty when nothing was. */
  take(): readonly Uint8Array[];
}
