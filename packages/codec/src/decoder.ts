import type { Packet, ProtocolVersion } from "./packets.ts";
import type { TextCache } from "./text-cache.ts";

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
