import type { ProtocolVersion } from "./packets.ts";
import { asciiText, utf8Text } from "./platform.ts";
import {
  fail,
  fieldInvalid,
  packetIdInvalid,
  packetTruncated,
  stringHasNull,
  stringMalformed,
  topicEmpty,
  topicNameHasWildcard,
  varintMalformed,
} from "./rules.ts";

const EMPTY = /* @__PURE__ */ new Uint8Array(0);
const PLUS = 0x2b;
const HASH = 0x23;

/** Which side's packets are read: 0 either, 1 a client's, 2 a server's. */
export type SenderSide = 0 | 1 | 2;

/** Reads the fields of one packet and never past its `end`. */
export class Reader {
  bytes: Uint8Array = EMPTY;
  pos = 0;
  end = 0;
  version: ProtocolVersion = 4;
  readonly sender: SenderSide;
  /** Topic name read last, when all ASCII: publishers repeat themselves, and comparing is cheaper than making a string. */
  #lastTopic = "";

  constructor(sender: SenderSide) {
    this.sender = sender;
  }

  /** Lets go of the bytes, so that an idle decoder pins no chunk. */
  release(): void {
    this.bytes = EMPTY;
  }

  uint8(): number {
    return this.bytes[this.#skip(1)] as number;
  }

  uint16(): number {
    const pos = this.#skip(2);
    return ((this.bytes[pos] as number) << 8) | (this.bytes[pos + 1] as number);
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

  boolean(): boolean {
    const byte = this.uint8();
    return byte > 1 ? fail(fieldInvalid, this.version) : byte === 1;
  }

  string(): string {
    const length = this.uint16();
    const start = this.#skip(length);
    return this.#text(start, start + length);
  }

  /** A topic name: no wildcard, and empty only where `mayBeEmpty`. */
  topicName(mayBeEmpty: boolean): string {
    const length = this.uint16();
    const start = this.#skip(length);
    if (length === 0) return mayBeEmpty ? "" : fail(topicEmpty, this.version);
    if (this.#isLastTopic(start, length)) return this.#lastTopic;
    const end = start + length;
    const bytes = this.bytes;
    for (let i = start; i < end; i++) {
      const byte = bytes[i];
      if (byte === PLUS || byte === HASH) fail(topicNameHasWildcard, this.version);
    }
    const topic = this.#text(start, end);
    if (topic.length === length) this.#lastTopic = topic;
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
    return length === 0 ? EMPTY : new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + start, length);
  }

  #isLastTopic(start: number, length: number): boolean {
    const topic = this.#lastTopic;
    if (topic.length !== length) return false;
    const bytes = this.bytes;
    // Backwards, since topics differ in their last levels first.
    for (let i = length - 1; i >= 0; i--) {
      if (bytes[start + i] !== topic.charCodeAt(i)) return false;
    }
    return true;
  }

  #text(start: number, end: number): string {
    const bytes = this.bytes;
    let bits = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte === 0) fail(stringHasNull, this.version);
      bits |= byte;
    }
    if (bits < 0x80) return start === end ? "" : asciiText(bytes, start, end);
    try {
      return utf8Text(bytes, start, end);
    } catch {
      return fail(stringMalformed, this.version);
    }
  }
}
