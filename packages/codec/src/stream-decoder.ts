import { Assembly } from "./assembly.ts";
import type { Decoder, DecoderOptions } from "./interfaces.ts";
import { MAXIMUM_PACKET_SIZE } from "./limits.ts";
import { type Packet, PacketType, type ProtocolVersion } from "./packets.ts";
import { Reader, type SenderSide } from "./reader.ts";
import {
  fail,
  flagsInvalid,
  packetOverlong,
  packetTooLarge,
  packetTypeInvalid,
  packetUnexpected,
  streamEnded,
  varintMalformed,
} from "./rules.ts";

/** Reads the body of one packet type; `flags` are the low four bits of the first byte. */
export type PacketReader = (reader: Reader, flags: number) => Packet;

/** Packet readers by packet type; a type without one is not expected from this peer. */
export type PacketReaders = readonly (PacketReader | undefined)[];

const NOTHING = /* @__PURE__ */ new Uint8Array(0);

/** Types whose fixed header has flags 0010 [MQTT-2.1.3-1]; MQTT 3.1 also knows DUP there. */
const FLAGGED = (1 << PacketType.PUBREL) | (1 << PacketType.SUBSCRIBE) | (1 << PacketType.UNSUBSCRIBE);

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
  /** Chunks pushed before the current one was used up; `#queued` counts their bytes. */
  #queue: Uint8Array[] | undefined;
  #queueHead = 0;
  #queued = 0;
  /** The fixed header, as far as it came: its bytes, the first of them, and the Remaining Length. */
  #headerSize = 0;
  #first = 0;
  #remainingLength = 0;
  #headerDone = false;
  #assembly: Assembly | undefined;
  #last: Uint8Array = NOTHING;
  #lastStart = 0;
  #lastEnd = 0;
  #failed = false;

  constructor(readers: PacketReaders, sender: SenderSide, options: DecoderOptions | undefined) {
    this.version = options?.version ?? 4;
    this.maximumPacketSize = options?.maximumPacketSize ?? MAXIMUM_PACKET_SIZE;
    this.#readers = readers;
    this.#reader = new Reader(sender);
  }

  get bufferedBytes(): number {
    const begun = this.#assembly === undefined ? this.#headerSize : this.#assembly.received;
    return begun + this.#chunk.length - this.#pos + this.#queued;
  }

  push(chunk: Uint8Array): void {
    if (this.#failed || chunk.length === 0) return;
    if (this.#pos === this.#chunk.length) {
      this.#chunk = chunk;
      this.#pos = 0;
    } else {
      this.#queue ??= [];
      this.#queue.push(chunk);
      this.#queued += chunk.length;
    }
  }

  next(): Packet | null {
    this.#last = NOTHING;
    try {
      while (this.#pos < this.#chunk.length || this.#nextChunk()) {
        if (!this.#headerDone && !this.#readHeader()) continue;
        const size = this.#headerSize + this.#remainingLength;
        const start = this.#pos - this.#headerSize;
        if (this.#assembly === undefined && start >= 0 && start + size <= this.#chunk.length) {
          this.#pos = start + size;
          return this.#read(this.#chunk, start, start + size);
        }
        if (this.#assemble(size)) return this.#read((this.#assembly as unknown as Assembly).join(), 0, size);
      }
    } catch (error) {
      this.#fail();
      throw error;
    }
    return null;
  }

  lastPacketBytes(): Uint8Array {
    const { buffer, byteOffset } = this.#last;
    return new Uint8Array(buffer, byteOffset + this.#lastStart, this.#lastEnd - this.#lastStart);
  }

  end(): void {
    if (this.bufferedBytes === 0) return;
    this.#fail();
    fail(streamEnded, this.version);
  }

  /** Reads on in the fixed header; true once it is complete and acceptable, false when the chunk ran out before. */
  #readHeader(): boolean {
    const chunk = this.#chunk;
    while (this.#pos < chunk.length) {
      const byte = chunk[this.#pos++] as number;
      const index = this.#headerSize++;
      if (index === 0) {
        this.#first = byte;
        this.#remainingLength = 0;
        continue;
      }
      this.#remainingLength |= (byte & 0x7f) << (7 * (index - 1));
      if (byte < 0x80) {
        // A last byte of 0 makes the length longer than it needs to be [MQTT-1.5.5-1].
        if (byte === 0 && index > 1) fail(varintMalformed, this.version);
        this.#checkHeader();
        return true;
      }
      if (index === 4) fail(varintMalformed, this.version);
    }
    return false;
  }

  /** Refuses a packet by what its fixed header tells, before any of its body is held. */
  #checkHeader(): void {
    this.#headerDone = true;
    const type = this.#first >> 4;
    const flags = this.#first & 0x0f;
    if (this.#readers[type] === undefined) {
      fail(
        type === 0 || (type === PacketType.AUTH && this.version < 5) ? packetTypeInvalid : packetUnexpected,
        this.version,
      );
    }
    if (type !== PacketType.PUBLISH) {
      const flagged = ((FLAGGED >> type) & 1) === 1;
      const expected = flagged ? 2 : 0;
      if (flags !== expected && !(flagged && this.version === 3 && flags === (expected | 8))) {
        fail(flagsInvalid, this.version);
      }
    }
    if (this.#headerSize + this.#remainingLength > this.maximumPacketSize) fail(packetTooLarge, this.version);
  }

  /** Adds the chunk to the packet that began before it; true when that is complete. */
  #assemble(size: number): boolean {
    if (this.#assembly === undefined) {
      this.#assembly = new Assembly(size, this.#headerSize + this.#chunk.length - this.#pos);
      this.#assembly.add(this.#header(), 0);
    }
    this.#pos += this.#assembly.add(this.#chunk, this.#pos);
    return this.#assembly.missing === 0;
  }

  /** The fixed header's bytes again; there is one way to write them. */
  #header(): Uint8Array {
    const bytes = new Uint8Array(this.#headerSize);
    bytes[0] = this.#first;
    let rest = this.#remainingLength;
    for (let i = 1; i < bytes.length; i++, rest >>= 7) bytes[i] = (rest & 0x7f) | (rest > 0x7f ? 0x80 : 0);
    return bytes;
  }

  #read(bytes: Uint8Array, start: number, end: number): Packet {
    const reader = this.#reader;
    reader.open(bytes, start + this.#headerSize, end, this.version);
    this.#headerSize = 0;
    this.#headerDone = false;
    this.#assembly = undefined;
    const read = this.#readers[this.#first >> 4] as PacketReader;
    const packet = read(reader, this.#first & 0x0f);
    if (reader.pos !== end) fail(packetOverlong, reader.version);
    // CONNECT decides the version of all that follows it.
    this.version = reader.version;
    this.#last = bytes;
    this.#lastStart = start;
    this.#lastEnd = end;
    return packet;
  }

  /** Goes on to the next chunk in the queue; without one, lets go of all that would pin memory. */
  #nextChunk(): boolean {
    this.#pos = 0;
    const next = this.#queue?.[this.#queueHead++];
    if (next !== undefined) {
      this.#chunk = next;
      this.#queued -= next.length;
      return true;
    }
    this.#chunk = NOTHING;
    this.#queue = undefined;
    this.#queueHead = 0;
    this.#reader.release();
    return false;
  }

  #fail(): void {
    this.#failed = true;
    this.#headerSize = 0;
    this.#headerDone = false;
    this.#assembly = undefined;
    this.#queueHead = 0;
    this.#queue = undefined;
    this.#queued = 0;
    this.#nextChunk();
  }
}

/** The one packet that `bytes` are, no more and no less. */
export function decodeAlone(readers: PacketReaders, bytes: Uint8Array, version: ProtocolVersion): Packet {
  const decoder = new StreamDecoder(readers, 0, { version });
  decoder.push(bytes);
  const packet = decoder.next();
  if (packet === null) fail(streamEnded, version);
  if (decoder.bufferedBytes > 0) fail(packetOverlong, version);
  return packet;
}
