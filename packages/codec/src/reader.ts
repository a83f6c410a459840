import type { ProtocolVersion } from "./packets.ts";
import { asciiText, utf8Text } from "./platform.ts";
import {
  fail,
  packetIdInvalid,
  packetTruncated,
  stringHasNull,
  stringMalformed,
  topicEmpty,
  topicNameHasWildcard,
  varintMalformed,
} from "./rules.ts";
import { TextCache } from "./text-cache.ts";

const EMPTY = /* @__PURE__ */ new Uint8Array(0);
const PLUS = 0x2b;
const HASH = 0x23;

/** Which side's packets are read: 0 either, 1 a client's, 2 a server's. */
export type SenderSide = 0 | 1 | 2;

/** Shared by all readers: text is as likely to come again on another connection. */
const topics = /* @__PURE__ */ new TextCache();
const texts = /* @__PURE__ */ new TextCache();

/** Reads the fields of one packet and never past its `end`. */
export class Reader {
  #bytes: Uint8Array = EMPTY;
  /** Kept apart, since asking a Uint8Array for its buffer costs as much as making a view. */
  #buffer: ArrayBufferLike = EMPTY.buffer;
  #offset = 0;
  pos = 0;
  end = 0;
  version: ProtocolVersion = 4;
  readonly sender: SenderSide;

  constructor(sender: SenderSide) {
    this.sender = sender;
  }

  open(bytes: Uint8Array, pos: number, end: number, version: ProtocolVersion): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#buffer = bytes.buffer;
      this.#offset = bytes.byteOffset;
    }
    this.pos = pos;
    this.end = end;
    this.version = version;
  }

  /** Lets go of the bytes, so that an idle decoder pins no chunk. */
  release(): void {
    this.#bytes = EMPTY;
    this.#buffer = EMPTY.buffer;
  }

  uint8(): number {
    return this.#bytes[this.#skip(1)] as number;
  }

  uint16(): number {
    const pos = this.#skip(2);
    return ((this.#bytes[pos] as number) << 8) | (this.#bytes[pos + 1] as number);
  }

  uint32(): number {
    return this.uint16() * 0x10000 + this.uint16();
  }

  variableByteInteger(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.uint8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        // The shortest form ends in a zero byte only when that is all of it [MQTT-1.5.5-1].
        if (byte === 0 && shift > 0) break;
        return value;
      }
    }
    return fail(varintMalformed, this.version);
  }

  packetId(): number {
    return this.uint16() || fail(packetIdInvalid, this.version);
  }

  string(): string {
    const length = this.uint16();
    const start = this.#skip(length);
    const end = start + length;
    const bytes = this.#bytes;
    const known = texts.get(bytes, start, end);
    if (known !== undefined) return known;
    let bits = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte === 0) fail(stringHasNull, this.version);
      bits |= byte;
    }
    const text = this.#text(start, end, bits);
    texts.offer(bytes, start, end, text);
    return text;
  }

  /** A topic name: no wildcard, and empty only where `mayBeEmpty`. */
  topicName(mayBeEmpty: boolean): string {
    const length = this.uint16();
    const start = this.#skip(length);
    if (length === 0) return mayBeEmpty ? "" : fail(topicEmpty, this.version);
    const end = start + length;
    const bytes = this.#bytes;
    const known = topics.get(bytes, start, end);
    if (known !== undefined) return known;
    let bits = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte === 0) fail(stringHasNull, this.version);
      if (byte === PLUS || byte === HASH) fail(topicNameHasWildcard, this.version);
      bits |= byte;
    }
    const topic = this.#text(start, end, bits);
    topics.offer(bytes, start, end, topic);
    return topic;
  }

  binary(): Uint8Array {
    const length = this.uint16();
    return this.#view(this.#skip(length), length);
  }

  rest(): Uint8Array {
    const length = this.end - this.pos;
    return this.#view(this.#skip(length), length);
  }

  /** Moves over `length` bytes of this packet and returns where they begin. */
  #skip(length: number): number {
    const pos = this.pos;
    if (pos + length > this.end) fail(packetTruncated, this.version);
    this.pos = pos + length;
    return pos;
  }

  #view(start: number, length: number): Uint8Array {
    // Unlike `subarray`, this makes a plain Uint8Array of a Buffer too, and is the faster of the two.
    return length === 0 ? EMPTY : new Uint8Array(this.#buffer, this.#offset + start, length);
  }

  /** Text of bytes without 0 whose bits, all or-ed together, tell whether they are ASCII. */
  #text(start: number, end: number, bits: number): string {
    if (bits < 0x80) return asciiText(this.#bytes, start, end);
    try {
      return utf8Text(this.#bytes, start, end);
    } catch {
      return fail(stringMalformed, this.version);
    }
  }
}
