import { COPY_LIMIT, MAXIMUM_FIELD_LENGTH, MAXIMUM_REMAINING_LENGTH, SLAB_SIZE } from "./limits.ts";
import type { ProtocolVersion, UserProperty } from "./packets.ts";
import { writeUtf8 } from "./platform.ts";
import {
  fail,
  failField,
  fieldTooLong,
  packetIdInvalid,
  packetTooLarge,
  packetUnexpected,
  propertyInvalid,
  topicEmpty,
} from "./rules.ts";
import { checkText } from "./text.ts";

/**
 * Where packets are written. What lies before `start` is done and never touched again; a packet is written from there
 * to `pos`, and counts only once `start` moved there. So one that fails half-way leaves nothing behind.
 * Nobody asks for room: what is written past the end of a typed array is lost, and a packet that ran past it is written
 * once more, in fresh memory.
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

  /** Writes a packet by its encoder; one without is not for this side to send. */
  write<T>(encoder: ((sink: Sink, packet: T) => void) | undefined, packet: T, version: ProtocolVersion): void {
    this.version = version;
    if (encoder === undefined) {
      fail(packetUnexpected, this);
    }
    this.pos = this.start;
    this.payload = undefined;
    encoder(this, packet);
    if (this.pos <= this.bytes.length) {
      return;
    }
    // Chunks that were taken keep the old memory.
    this.bytes = new Uint8Array(Math.max(SLAB_SIZE, 2 * (this.pos - this.start)));
    this.start = 0;
    this.write(encoder, packet, version);
  }

  /** Starts a packet with its first byte; one more is left for the length, which is enough for most. */
  begin(first: number): void {
    this.uint8(first);
    this.pos += 1;
  }

  /** Ends the packet: fills its length in and adds the payload, if it has one. */
  end(payload?: Uint8Array): void {
    const length = payload === undefined ? 0 : this.#byteLength(payload);
    this.fillLength(this.start + 1, length);
    if (length > COPY_LIMIT) {
      this.payload = payload;
    } else if (payload !== undefined) {
      this.raw(payload);
    }
  }

  /** Writes the length of all behind `at`, and of `more` to come, into the byte left there; makes room if it needs more. */
  fillLength(at: number, more = 0): void {
    const end = this.pos;
    const length = end - at - 1 + more;
    if (length > MAXIMUM_REMAINING_LENGTH) {
      fail(packetTooLarge, this);
    }
    let extra = 0;
    for (let rest = length; rest > 0x7f; rest >>= 7) {
      extra += 1;
    }
    if (extra > 0) {
      this.bytes.copyWithin(at + 1 + extra, at + 1, end);
    }
    this.pos = at;
    this.variableByteInteger(length);
    this.pos = end + extra;
  }

  uint8(value: number): void {
    this.bytes[this.pos] = value;
    this.pos += 1;
  }

  bit(value: number): void {
    this.uint8(value);
  }

  boolean(value: boolean): void {
    this.uint8(value === true ? 1 : value === false ? 0 : fail(propertyInvalid, this));
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
    for (; rest > 0x7f; rest >>= 7) {
      this.uint8(rest | 0x80);
    }
    this.uint8(rest);
  }

  packetId(value: number): void {
    if (value < 1 || !isUint16(value)) {
      fail(packetIdInvalid, this);
    }
    this.uint16(value);
  }

  binary(value: Uint8Array): void {
    const length = this.#byteLength(value);
    if (length > MAXIMUM_FIELD_LENGTH) {
      fail(fieldTooLong, this);
    }
    this.uint16(length);
    this.raw(value);
  }

  /** Bytes as they are. */
  raw(value: Uint8Array): void {
    const from = this.pos;
    this.pos += value.length;
    // Unlike single bytes, `set` throws past the end.
    if (this.pos <= this.bytes.length) {
      this.bytes.set(value, from);
    }
  }

  topicName(topic: string): void {
    if (topic === "") {
      fail(topicEmpty, this);
    }
    this.string(topic, true);
  }

  string(text: string, isTopicName = false): void {
    if (typeof text !== "string") {
      failField("a string");
    }
    const bytes = this.bytes;
    const from = this.pos + 2;
    let length = text.length;
    for (let i = 0; i < length; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit < 0x2c ? unit === 0 || (isTopicName && (unit === 0x23 || unit === 0x2b)) : unit > 0x7f) {
        // U+0000, a wildcard in a name or not ASCII, and rare: once more and with care.
        checkText(text, this, isTopicName);
        length = writeUtf8(text, bytes, from);
        break;
      }
      bytes[from + i] = unit;
    }
    if (length > MAXIMUM_FIELD_LENGTH) {
      fail(fieldTooLong, this);
    }
    this.uint16(length);
    this.pos += length;
  }

  stringPair([name, value]: UserProperty): void {
    this.string(name);
    this.string(value);
  }

  /** Length of what ought to be bytes; of another realm, too, where `instanceof` would not know them. */
  #byteLength(value: Uint8Array): number {
    return value?.BYTES_PER_ELEMENT === 1 ? value.length : failField("a Uint8Array");
  }
}

export function isUint16(value: number): boolean {
  return value === (value & 0xffff);
}

export function isQos(value: number): boolean {
  return value === 0 || value === 1 || value === 2;
}
