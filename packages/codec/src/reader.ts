import type { ProtocolVersion, UserProperty } from "./packets.ts";
import { utf8Text } from "./platform.ts";
import {
  fail,
  lengthMalformed,
  packetIdInvalid,
  packetTruncated,
  propertyInvalid,
  stringMalformed,
  topicEmpty,
} from "./rules.ts";
import type { SenderSide } from "./sides.ts";
import { checkText } from "./text.ts";
import type { TextCache } from "./text-cache.ts";

export const EMPTY: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** Reads the fields of one packet, from `pos` and never past `end`. */
export class Reader {
  pos = 0;
  end = 0;
  version: ProtocolVersion = 4;
  packetType = 0;
  readonly sender: SenderSide;
  readonly #texts: TextCache | undefined;
  #bytes: Uint8Array = EMPTY;
  /** Kept apart, since asking a Uint8Array for its buffer costs as much as making a view. */
  #buffer: ArrayBufferLike = EMPTY.buffer;
  #offset = 0;

  constructor(sender: SenderSide, texts: TextCache | undefined) {
    this.sender = sender;
    this.#texts = texts;
  }

  open(bytes: Uint8Array, pos: number, end: number): void {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#buffer = bytes.buffer;
      this.#offset = bytes.byteOffset;
    }
    this.pos = pos;
    this.end = end;
  }

  uint8(): number {
    return this.#bytes[this.#skip(1)] as number;
  }

  bit(): number {
    const value = this.uint8();
    return value > 1 ? fail(propertyInvalid, this) : value;
  }

  boolean(): boolean {
    return this.bit() === 1;
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
      // The shortest form ends in a zero byte only when that is all of it [MQTT-1.5.5-1].
      if (byte === 0 && shift > 0) {
        break;
      }
      if (byte < 0x80) {
        return value;
      }
    }
    return fail(lengthMalformed, this);
  }

  packetId(): number {
    return this.uint16() || fail(packetIdInvalid, this);
  }

  /** Text; a topic name, which may be empty, has no wildcards. */
  string(isTopicName = false): string {
    const bytes = this.#bytes;
    const length = this.uint16();
    const start = this.#skip(length);
    const end = start + length;
    const texts = this.#texts;
    const known = texts?.find(bytes, start, end, isTopicName);
    if (known !== undefined) {
      return known;
    }
    let text = "";
    try {
      text = (texts?.make ?? utf8Text)(bytes, start, end);
    } catch {
      fail(stringMalformed, this);
    }
    checkText(text, this, isTopicName);
    texts?.offer(text);
    return text;
  }

  /** A topic name that is not empty. */
  topicName(): string {
    return this.string(true) || fail(topicEmpty, this);
  }

  stringPair(): UserProperty {
    return [this.string(), this.string()];
  }

  binary(): Uint8Array {
    const length = this.uint16();
    const start = this.#skip(length);
    return this.view(start, start + length);
  }

  rest(): Uint8Array {
    const start = this.pos;
    this.pos = this.end;
    return this.view(start, this.end);
  }

  view(start: number, end: number): Uint8Array {
    // Unlike `subarray`, this makes a plain Uint8Array of a Buffer too, and is the faster of the two.
    return start === end ? EMPTY : new Uint8Array(this.#buffer, this.#offset + start, end - start);
  }

  /** Moves over `length` bytes of this packet and returns where they begin. */
  #skip(length: number): number {
    const pos = this.pos;
    this.pos += length;
    if (this.pos > this.end) {
      fail(packetTruncated, this);
    }
    return pos;
  }
}
