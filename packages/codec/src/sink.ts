import { COPY_LIMIT, MAXIMUM_FIELD_LENGTH, MAXIMUM_REMAINING_LENGTH, SLAB_SIZE } from "./limits.ts";
import type { ProtocolVersion } from "./packets.ts";
import { writeUtf8 } from "./platform.ts";
import { fail, fieldInvalid, fieldTooLong, packetIdInvalid, packetTooLarge, topicEmpty } from "./rules.ts";
import { checkText } from "./text.ts";

/**
 * Where packets are written. What lies before `start` is done and never touched again; a packet is written from there
 * to `pos`, and counts only once `start` moved there. So one that fails half-way leaves nothing behind.
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

  /** Bytes of the packet being written. */
  get length(): number {
    return this.pos - this.start + (this.payload?.length ?? 0);
  }

  /** Starts a packet with its first byte and one for its length, which is enough for most. */
  begin(first: number): void {
    this.reset();
    this.#need(2);
    this.bytes[this.pos] = first;
    this.pos += 2;
  }

  /** Ends the packet: fills its length in and adds the payload, if it has one. */
  end(payload?: Uint8Array): void {
    const length = payload === undefined ? 0 : this.#byteLength(payload);
    this.closeLength(1, length);
    if (length > COPY_LIMIT) this.payload = payload;
    else if (payload !== undefined) this.#copy(payload, length);
  }

  /** Takes a packet that is encoded already. */
  raw(bytes: Uint8Array): void {
    this.reset();
    this.#copy(bytes, bytes.length);
  }

  reset(): void {
    this.pos = this.start;
    this.payload = undefined;
  }

  /** Reserves one byte for a length yet unknown; give the result to `closeLength`. */
  openLength(): number {
    this.uint8(0);
    return this.pos - this.start - 1;
  }

  /** Writes the length of all since `openLength`, and of `more` to come, moving those bytes when it needs room. */
  closeLength(mark: number, more: number): void {
    const length = this.pos - this.start - mark - 1 + more;
    if (length > MAXIMUM_REMAINING_LENGTH) fail(packetTooLarge, this);
    if (length < 0x80) {
      this.bytes[this.start + mark] = length;
      return;
    }
    const extra = length < 0x4000 ? 1 : length < 0x20_0000 ? 2 : 3;
    this.#need(extra);
    const at = this.start + mark;
    const end = this.pos + extra;
    this.bytes.copyWithin(at + 1 + extra, at + 1, this.pos);
    this.pos = at;
    this.variableByteInteger(length);
    this.pos = end;
  }

  uint8(value: number): void {
    this.#need(1);
    this.bytes[this.pos++] = value;
  }

  uint16(value: number): void {
    this.uint8(value >> 8);
    this.uint8(value);
  }

  uint32(value: number): void {
    this.uint16(value >>> 16);
    this.uint16(value);
  }

  variableByteInteger(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>= 7) this.uint8(rest | 0x80);
    this.uint8(rest);
  }

  packetId(value: number): void {
    if (value < 1 || !isUint16(value)) fail(packetIdInvalid, this);
    this.uint16(value);
  }

  binary(value: Uint8Array): void {
    const length = this.#byteLength(value);
    if (length > MAXIMUM_FIELD_LENGTH) fail(fieldTooLong, this);
    this.uint16(length);
    this.#copy(value, length);
  }

  string(text: string): void {
    this.#text(text, false);
  }

  topicName(topic: string): void {
    if (topic === "") fail(topicEmpty, this);
    this.#text(topic, true);
  }

  #text(text: string, isTopicName: boolean): void {
    if (typeof text !== "string") fail(fieldInvalid, this);
    const length = text.length;
    if (length > MAXIMUM_FIELD_LENGTH) fail(fieldTooLong, this);
    // Three bytes are the most that one UTF-16 unit becomes.
    this.#need(2 + 3 * length);
    const bytes = this.bytes;
    const from = this.pos + 2;
    let at = from;
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i);
      if (unit < 0x2c ? unit === 0 || (isTopicName && (unit === 0x23 || unit === 0x2b)) : unit > 0x7f) {
        // U+0000, a wildcard in a name or not ASCII, and rare: once more and with care.
        checkText(text, this, isTopicName);
        at = from + writeUtf8(text, bytes, from);
        break;
      }
      bytes[at++] = unit;
    }
    if (at - from > MAXIMUM_FIELD_LENGTH) fail(fieldTooLong, this);
    bytes[from - 2] = (at - from) >> 8;
    bytes[from - 1] = at - from;
    this.pos = at;
  }

  /** Length of what ought to be bytes; of another realm, too, where `instanceof` would not know them. */
  #byteLength(value: Uint8Array): number {
    return value?.BYTES_PER_ELEMENT === 1 ? value.length : fail(fieldInvalid, this);
  }

  #copy(value: Uint8Array, length: number): void {
    this.#need(length);
    this.bytes.set(value, this.pos);
    this.pos += length;
  }

  /** Makes room; in fresh memory, with what is written of this packet, since chunks that were taken keep the old. */
  #need(length: number): void {
    if (this.pos + length <= this.bytes.length) return;
    const written = this.bytes.subarray(this.start, this.pos);
    this.start = 0;
    this.pos = written.length;
    this.bytes = new Uint8Array(Math.max(SLAB_SIZE, 2 * (this.pos + length)));
    this.bytes.set(written);
  }
}

export function isUint16(value: number): boolean {
  return value === (value & 0xffff);
}

export function isQos(value: number): boolean {
  return value === 0 || value === 1 || value === 2;
}
