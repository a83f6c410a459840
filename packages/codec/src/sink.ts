import { COPY_LIMIT, MAXIMUM_FIELD_LENGTH, MAXIMUM_REMAINING_LENGTH, SLAB_SIZE } from "./limits.ts";
import type { ProtocolVersion } from "./packets.ts";
import {
  fail,
  fieldInvalid,
  fieldTooLong,
  packetIdInvalid,
  packetTooLarge,
  stringHasNull,
  stringMalformed,
  topicEmpty,
  topicNameHasWildcard,
} from "./rules.ts";

/**
 * Where packets are written. What lies before `start` is done and never touched again; a packet is written from there
 * to `pos`, and counts only once `commit` moved `start`. So one that fails half-way leaves nothing behind.
 */
export class Sink {
  bytes: Uint8Array;
  start = 0;
  pos = 0;
  version: ProtocolVersion = 4;
  /** A payload too long to copy: it follows the bytes at `pos`. */
  payload: Uint8Array | undefined = undefined;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  /** Starts a packet with its first byte and one for its length, which is enough for most. */
  begin(first: number): void {
    this.pos = this.start;
    this.payload = undefined;
    this.#need(2);
    this.bytes[this.pos] = first;
    this.pos += 2;
  }

  /** Ends the packet: fills its length in and adds the payload, if it has one. */
  end(payload?: Uint8Array): void {
    if (payload === undefined) {
      this.closeLength(1, 0);
      return;
    }
    const length = byteLength(payload, this.version);
    this.closeLength(1, length);
    if (length > COPY_LIMIT) this.payload = payload;
    else this.#copy(payload, length);
  }

  /** Takes a packet that is encoded already. */
  raw(bytes: Uint8Array): void {
    this.pos = this.start;
    this.payload = undefined;
    this.#copy(bytes, byteLength(bytes, this.version));
  }

  /** Bytes of the packet being written. */
  get length(): number {
    return this.pos - this.start + (this.payload === undefined ? 0 : this.payload.length);
  }

  commit(): void {
    this.start = this.pos;
  }

  /** Reserves one byte for a length yet unknown; give the result to `closeLength`. */
  openLength(): number {
    this.#need(1);
    return this.pos++ - this.start;
  }

  /** Writes the length of all since `openLength`, and of `more` to come, moving those bytes when it needs room. */
  closeLength(mark: number, more: number): void {
    let length = this.pos - this.start - mark - 1 + more;
    if (length > MAXIMUM_REMAINING_LENGTH) fail(packetTooLarge, this.version);
    if (length > 0x7f) {
      const extra = length > 0x1f_ffff ? 3 : length > 0x3fff ? 2 : 1;
      this.#need(extra);
      const from = this.start + mark + 1;
      this.bytes.copyWithin(from + extra, from, this.pos);
      this.pos += extra;
    }
    let at = this.start + mark;
    for (; length > 0x7f; length >>>= 7) this.bytes[at++] = length | 0x80;
    this.bytes[at] = length;
  }

  uint8(value: number): void {
    this.#need(1);
    this.bytes[this.pos++] = value;
  }

  uint16(value: number): void {
    this.#need(2);
    this.bytes[this.pos++] = value >>> 8;
    this.bytes[this.pos++] = value;
  }

  uint32(value: number): void {
    this.uint16(value >>> 16);
    this.uint16(value & 0xffff);
  }

  variableByteInteger(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.uint8((rest & 0x7f) | 0x80);
    this.uint8(rest);
  }

  packetId(value: number): void {
    if (!(value >= 1 && value <= 0xffff && value === (value | 0))) fail(packetIdInvalid, this.version);
    this.uint16(value);
  }

  binary(value: Uint8Array): void {
    const length = byteLength(value, this.version);
    if (length > MAXIMUM_FIELD_LENGTH) fail(fieldTooLong, this.version);
    this.uint16(length);
    this.#copy(value, length);
  }

  string(text: string): void {
    this.#text(text, false);
  }

  /** A topic name: no wildcard, and empty only where `mayBeEmpty`. */
  topicName(topic: string, mayBeEmpty: boolean): void {
    if (topic === "" && !mayBeEmpty) fail(topicEmpty, this.version);
    this.#text(topic, true);
  }

  #text(text: string, isTopicName: boolean): void {
    if (typeof text !== "string") fail(fieldInvalid, this.version);
    const length = text.length;
    if (length > MAXIMUM_FIELD_LENGTH) fail(fieldTooLong, this.version);
    // Three bytes are the most that one UTF-16 unit becomes.
    this.#need(2 + 3 * length);
    const bytes = this.bytes;
    const from = this.pos + 2;
    let at = from;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x80 && unit > 0x2b) {
        // Most of all text, and none of it in need of a check.
        bytes[at++] = unit;
      } else if (unit < 0x80) {
        if (unit === 0) fail(stringHasNull, this.version);
        if (isTopicName && (unit === 0x2b || unit === 0x23)) fail(topicNameHasWildcard, this.version);
        bytes[at++] = unit;
      } else if (unit < 0x800) {
        bytes[at++] = 0xc0 | (unit >> 6);
        bytes[at++] = 0x80 | (unit & 0x3f);
      } else if (unit < 0xd800 || unit > 0xdfff) {
        bytes[at++] = 0xe0 | (unit >> 12);
        bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
        bytes[at++] = 0x80 | (unit & 0x3f);
      } else {
        const low = text.charCodeAt(++i);
        // Also refuses the end of the string, where `low` is NaN.
        if (unit > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) fail(stringMalformed, this.version);
        const point = 0x10000 + ((unit & 0x3ff) << 10) + (low & 0x3ff);
        bytes[at++] = 0xf0 | (point >> 18);
        bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
        bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
        bytes[at++] = 0x80 | (point & 0x3f);
      }
    }
    const size = at - from;
    if (size > MAXIMUM_FIELD_LENGTH) fail(fieldTooLong, this.version);
    bytes[from - 2] = size >> 8;
    bytes[from - 1] = size;
    this.pos = at;
  }

  #copy(value: Uint8Array, length: number): void {
    this.#need(length);
    this.bytes.set(value, this.pos);
    this.pos += length;
  }

  #need(length: number): void {
    if (this.pos + length > this.bytes.length) this.#renew(length);
  }

  /** Goes on in fresh memory, with what is written of this packet; chunks that were taken keep the old. */
  #renew(length: number): void {
    const written = this.bytes.subarray(this.start, this.pos);
    this.bytes = new Uint8Array(Math.max(SLAB_SIZE, 2 * (written.length + length)));
    this.bytes.set(written);
    this.start = 0;
    this.pos = written.length;
  }
}

/** Length of what ought to be bytes. A Uint8Array of another realm is as good, so `instanceof` would be too narrow. */
function byteLength(value: Uint8Array, version: ProtocolVersion): number {
  return value?.BYTES_PER_ELEMENT === 1 ? value.length : fail(fieldInvalid, version);
}
