import { Assembly } from "./assembly.ts";
import type { Decoder, DecoderOptions } from "./interfaces.ts";
import { MAXIMUM_PACKET_SIZE } from "./limits.ts";
import { PUBLISH, PUBREL_BIT, SUBSCRIBE_BIT, UNSUBSCRIBE_BIT } from "./packet-types.ts";
import type { Packet, ProtocolVersion } from "./packets.ts";
import { EITHER_SIDE, Reader, type SenderSide } from "./reader.ts";
import {
  fail,
  flagsInvalid,
  lengthMalformed,
  packetOverlong,
  packetTooLarge,
  packetTruncated,
  packetUnexpected,
} from "./rules.ts";

/** Reads the body of one packet type; `flags` are the low four bits of the first byte. */
export type PacketReader = (reader: Reader, flags: number) => Packet;

/** Packet readers by packet type; a type without one is not expected from this peer. */
export type PacketReaders = readonly (PacketReader | undefined)[];

const NOTHING = /* @__PURE__ */ new Uint8Array(0);

/** Types whose fixed header has flags 0010 [MQTT-2.1.3-1]; MQTT 3.1 also knows DUP there. */
const FLAGGED = PUBREL_BIT | SUBSCRIBE_BIT | UNSUBSCRIBE_BIT;

/**
 * Cuts the stream into packets. A packet inside one chunk is read in place; one that crosses a chunk's end is put
 * together first. Between packets nothing is held, so that an idle connection costs two small objects.
 */
export class StreamDecoder implements Decoder {
  version: ProtocolVersion;
  maximumPacketSize: number;
  readonly #readers: PacketReaders;
  readonly #reader: Reader;
  #chunk: Uint8Array = NOTHING;
  #pos = 0;
  /** Chunks pushed before the current one was used up, those from `#queueHead` on; `#queued` counts their bytes. */
  #queue: Uint8Array[] = NO_CHUNKS;
  #queueHead = 0;
  #queued = 0;
  /** First byte of the packet at hand, bytes of its fixed header that came, and what those say of its length. */
  #first = 0;
  #headerSize = 0;
  #remainingLength = 0;
  #headerDone = false;
  #assembly: Assembly | undefined;
  /** Where the last packet begins; the reader holds its bytes and end. */
  #start = 0;
  #failed = false;

  constructor(readers: PacketReaders, sender: SenderSide, options: DecoderOptions | undefined) {
    this.version = options?.version ?? 4;
    this.maximumPacketSize = options?.maximumPacketSize ?? MAXIMUM_PACKET_SIZE;
    this.#readers = readers;
    this.#reader = new Reader(sender);
  }

  get bufferedBytes(): number {
    return (this.#assembly?.received ?? this.#headerSize) + this.#chunk.length - this.#pos + this.#queued;
  }

  push(chunk: Uint8Array): void {
    if (this.#failed) return;
    if (this.#pos === this.#chunk.length && this.#queued === 0) {
      this.#chunk = chunk;
      this.#pos = 0;
      return;
    }
    if (this.#queue === NO_CHUNKS) this.#queue = [];
    this.#queue.push(chunk);
    this.#queued += chunk.length;
  }

  next(): Packet | null {
    try {
      while (this.#pos < this.#chunk.length || this.#nextChunk()) {
        if (!this.#headerDone && !this.#readHeader()) continue;
        const chunk = this.#chunk;
        const size = this.#headerSize + this.#remainingLength;
        const start = this.#pos - this.#headerSize;
        const end = start + size;
        if (this.#assembly === undefined && start >= 0 && end <= chunk.length) {
          this.#pos = end;
          return this.#read(chunk, start, end);
        }
        this.#assembly ??= new Assembly(this.#header(), size, chunk.length - this.#pos);
        this.#pos += this.#assembly.add(chunk, this.#pos);
        if (this.#assembly.received === size) return this.#read(this.#assembly.join(), 0, size);
      }
    } catch (error) {
      this.#failed = true;
      this.#reset();
      this.#queue = NO_CHUNKS;
      this.#queued = 0;
      this.#nextChunk();
      throw error;
    }
    return null;
  }

  lastPacketBytes(): Uint8Array {
    return this.#reader.view(this.#start, this.#reader.end);
  }

  end(): void {
    if (this.bufferedBytes > 0) fail(packetTruncated, this);
  }

  /** Reads on in the fixed header; true once it is complete and acceptable, false when the chunk ran out before. */
  #readHeader(): boolean {
    const chunk = this.#chunk;
    while (this.#pos < chunk.length) {
      const byte = chunk[this.#pos++] as number;
      const index = this.#headerSize++;
      if (index === 0) {
        this.#first = byte;
        continue;
      }
      this.#remainingLength |= (byte & 0x7f) << (7 * (index - 1));
      // Not more than four bytes, and the last one 0 only when alone [MQTT-1.5.5-1].
      if (byte > 0x7f ? index === 4 : byte === 0 && index > 1) fail(lengthMalformed, this);
      if (byte < 0x80) {
        this.#checkHeader();
        return true;
      }
    }
    return false;
  }

  /** Refuses a packet by what its fixed header tells, before any of its body is held. */
  #checkHeader(): void {
    this.#headerDone = true;
    const type = this.#first >> 4;
    const flagged = (FLAGGED >> type) & 1;
    const flags = this.#first & (flagged && this.version === 3 ? 0x07 : 0x0f);
    if (this.#readers[type] === undefined) fail(packetUnexpected, this);
    if (type !== PUBLISH && flags !== flagged << 1) fail(flagsInvalid, this);
    if (this.#headerSize + this.#remainingLength > this.maximumPacketSize) fail(packetTooLarge, this);
  }

  /** The fixed header's bytes again; there is one way to write them. */
  #header(): Uint8Array {
    const bytes = [this.#first];
    for (let rest = this.#remainingLength; bytes.length < this.#headerSize; rest >>= 7) {
      bytes.push(rest > 0x7f ? rest | 0x80 : rest);
    }
    return Uint8Array.from(bytes);
  }

  #read(bytes: Uint8Array, start: number, end: number): Packet {
    const reader = this.#reader;
    reader.open(bytes, start + this.#headerSize, end);
    reader.version = this.version;
    this.#start = start;
    this.#reset();
    const packet = (this.#readers[this.#first >> 4] as PacketReader)(reader, this.#first & 0x0f);
    if (reader.pos !== end) fail(packetOverlong, reader);
    // CONNECT decides the version of all that follows it.
    this.version = reader.version;
    return packet;
  }

  #reset(): void {
    this.#headerSize = 0;
    this.#remainingLength = 0;
    this.#headerDone = false;
    this.#assembly = undefined;
  }

  /** Goes on to the next chunk in the queue; without one, lets go of all that would pin memory. */
  #nextChunk(): boolean {
    const next = this.#queue[this.#queueHead++];
    this.#pos = 0;
    this.#chunk = next ?? NOTHING;
    this.#queued -= this.#chunk.length;
    if (next === undefined) {
      this.#queue = NO_CHUNKS;
      this.#queueHead = 0;
      this.#start = 0;
      this.#reader.close();
    }
    return next !== undefined;
  }
}

/** The one packet that `bytes` are, no more and no less. */
export function decodeAlone(readers: PacketReaders, bytes: Uint8Array, version: ProtocolVersion): Packet {
  const decoder = new StreamDecoder(readers, EITHER_SIDE, { version });
  decoder.push(bytes);
  const packet = decoder.next();
  if (packet === null) fail(packetTruncated, decoder);
  if (decoder.bufferedBytes > 0) fail(packetOverlong, decoder);
  return packet;
}

const NO_CHUNKS: Uint8Array[] = [];
