import type { Decoder, DecoderOptions } from "./decoder.ts";
import { MAXIMUM_PACKET_SIZE, SMALL_CHUNK } from "./limits.ts";
import { CONNECT_BIT, PUBLISH_BIT, PUBREL_BIT, SUBSCRIBE_BIT, UNSUBSCRIBE_BIT } from "./packet-types.ts";
import type { Packet, ProtocolVersion } from "./packets.ts";
import { EMPTY, Reader } from "./reader.ts";
import {
  fail,
  flagsInvalid,
  lengthMalformed,
  packetOverlong,
  packetTooLarge,
  packetTruncated,
  packetUnexpected,
} from "./rules.ts";
import { EITHER_SIDE, type SenderSide } from "./sides.ts";
import type { TextCache } from "./text-cache.ts";
import { textCache } from "./text-cache.ts";

/**
 * Reads the body of one packet; `type` is the one it is in the table for, hence `never`, and `flags` are the low four
 * bits of the first byte.
 */
export type PacketReader<P extends Packet = Packet> = (reader: Reader, type: never, flags: number) => P;

/** Packet readers by packet type; a type without one is not expected from this peer. */
export type PacketReaders = readonly (PacketReader | undefined)[];

/** Types whose fixed header has flags 0010 [MQTT-2.1.3-1]. */
const FLAGGED = PUBREL_BIT | SUBSCRIBE_BIT | UNSUBSCRIBE_BIT;
/** Types whose readers see to the flags themselves. */
const OWN_FLAGS = PUBLISH_BIT | CONNECT_BIT;

/**
 * Cuts the stream into packets. A packet inside one chunk is read in place; one that crosses a chunk's end is put
 * together when all of it is there, so that it costs linear time, and a peer that announces a large packet gets no
 * memory for it. Between packets nothing is held, so that an idle connection costs two small objects.
 */
export class StreamDecoder implements Decoder {
  version: ProtocolVersion;
  maximumPacketSize: number;
  bufferedBytes = 0;
  readonly #readers: PacketReaders;
  protected readonly reader: Reader;
  /** The bytes being read, from `#pos` on, and the chunks behind them, those from `#head` on. */
  #bytes: Uint8Array = EMPTY;
  #pos = 0;
  #queue: Uint8Array[] = NO_CHUNKS;
  #head = 0;
  /** Where the last packet begins; the reader holds its bytes and end. */
  #start = 0;
  #failed = false;

  constructor(
    readers: PacketReaders,
    sender: SenderSide,
    options: DecoderOptions | undefined,
    texts: TextCache | undefined,
  ) {
    this.version = options?.version ?? 4;
    this.maximumPacketSize = options?.maximumPacketSize ?? MAXIMUM_PACKET_SIZE;
    this.#readers = readers;
    this.reader = new Reader(sender, texts);
  }

  push(chunk: Uint8Array): void {
    if (this.#failed || chunk.length === 0) {
      return;
    }
    if (this.bufferedBytes === 0) {
      this.#bytes = chunk;
      this.#pos = 0;
    } else {
      this.#enqueue(chunk);
    }
    this.bufferedBytes += chunk.length;
  }

  next(): Packet | null {
    if (this.#pos === this.#bytes.length) {
      this.#nextChunk();
    }
    try {
      const packet = this.#read();
      if (packet === null) {
        this.#release();
      }
      return packet;
    } catch (error) {
      this.#failed = true;
      this.bufferedBytes = 0;
      this.#release();
      throw error;
    }
  }

  lastPacketBytes(): Uint8Array {
    return this.reader.view(this.#start, this.reader.end);
  }

  end(): void {
    if (this.bufferedBytes > 0) {
      fail(packetTruncated, this);
    }
  }

  /** The packet at hand; refused as soon as its fixed header is complete by what that tells. Null until it is whole. */
  #read(): Packet | null {
    const first = this.#bytes[this.#pos] as number;
    const type = first >> 4;
    this.reader.packetType = type;
    let byte = 0;
    let headerLength = 1;
    let remainingLength = 0;
    do {
      if (headerLength >= this.bufferedBytes) {
        return null;
      }
      if (this.#pos + headerLength >= this.#bytes.length) {
        this.#join(headerLength + 1);
      }
      byte = this.#bytes[this.#pos + headerLength] as number;
      remainingLength |= (byte & 0x7f) << (7 * (headerLength - 1));
      // Not more than four bytes, and the last one 0 only when alone [MQTT-1.5.5-1].
      if (byte > 0x7f ? headerLength === 4 : byte === 0 && headerLength > 1) {
        fail(lengthMalformed, this);
      }
      headerLength += 1;
    } while (byte > 0x7f);
    const read = this.#readers[type];
    const flags = first & 0x0f;
    const size = headerLength + remainingLength;
    if (read === undefined) {
      fail(packetUnexpected, this);
    }
    // MQTT 3.1 does not use these bits, but for a DUP that changes nothing.
    if (this.version > 3 && !((OWN_FLAGS >> type) & 1) && flags !== ((FLAGGED >> type) & 1) << 1) {
      fail(flagsInvalid, this);
    }
    if (size > this.maximumPacketSize) {
      fail(packetTooLarge, this);
    }
    if (size > this.bufferedBytes) {
      return null;
    }
    if (this.#pos + size > this.#bytes.length) {
      this.#join(size);
    }
    const reader = this.reader;
    const start = this.#pos;
    const end = start + size;
    this.#start = start;
    this.#pos = end;
    this.bufferedBytes -= size;
    reader.open(this.#bytes, start + headerLength, end);
    reader.version = this.version;
    const packet = read(reader, type as never, flags);
    if (reader.pos !== end) {
      fail(packetOverlong, reader);
    }
    // CONNECT decides the version of all that follows it.
    this.version = reader.version;
    return packet;
  }

  /** Puts a chunk behind the others; small ones become one, so that single bytes do not cost an object each. */
  #enqueue(chunk: Uint8Array): void {
    const last = this.#queue.length - 1;
    if (last < this.#head) {
      this.#queue = [chunk];
      this.#head = 0;
      return;
    }
    const before = this.#queue[last] as Uint8Array;
    const length = before.length + chunk.length;
    if (length > SMALL_CHUNK) {
      this.#queue.push(chunk);
      return;
    }
    const both = new Uint8Array(length);
    both.set(before);
    both.set(chunk, before.length);
    this.#queue[last] = both;
  }

  #nextChunk(): void {
    this.#bytes = this.#queue[this.#head] ?? EMPTY;
    this.#head += 1;
    this.#pos = 0;
  }

  /** Makes the next `length` bytes one piece in memory of their own, and puts back what is left of the last chunk. */
  #join(length: number): void {
    const whole = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      if (this.#pos === this.#bytes.length) {
        this.#nextChunk();
      }
      const part = this.#bytes.subarray(this.#pos, this.#pos + length - at);
      whole.set(part, at);
      at += part.length;
      this.#pos += part.length;
    }
    if (this.#pos < this.#bytes.length) {
      this.#head -= 1;
      this.#queue[this.#head] = this.#bytes.subarray(this.#pos);
    }
    this.#bytes = whole;
    this.#pos = 0;
  }

  /** Lets go of chunks that were read: of the last one only what is left stays, in memory of its own. */
  #release(): void {
    if (this.bufferedBytes === 0) {
      this.#bytes = EMPTY;
      this.#queue = NO_CHUNKS;
      this.#pos = 0;
    } else if (this.#pos > 0) {
      this.#join(this.#bytes.length - this.#pos);
    }
    this.#start = 0;
    // An idle decoder pins no chunk.
    this.reader.open(EMPTY, 0, 0);
  }
}

/** The one packet that `bytes` are, no more and no less. */
export function decodeAlone(readers: PacketReaders, bytes: Uint8Array, version: ProtocolVersion): Packet {
  const decoder = new StreamDecoder(readers, EITHER_SIDE, { version }, textCache);
  decoder.push(bytes);
  const packet = decoder.next();
  if (packet === null) {
    fail(packetTruncated, decoder);
  }
  if (decoder.bufferedBytes > 0) {
    fail(packetOverlong, decoder);
  }
  return packet;
}

const NO_CHUNKS: Uint8Array[] = [];
