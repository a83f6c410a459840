import { ConformanceError } from "../failure.ts";

/** The primitive fields of MQTT, written as asked for: nothing is checked, since cases need malformed bytes too. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A string, or bytes that stand where a string belongs (to make it ill-formed). */
export type Text = string | Uint8Array;

export function utf8(text: Text): Uint8Array {
  return typeof text === "string" ? encoder.encode(text) : text;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

export function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

export function uint16(value: number): Uint8Array {
  return bytes(value >>> 8, value & 0xff);
}

export function uint32(value: number): Uint8Array {
  return bytes((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

/** Two bytes of length, then the bytes: strings and binary data alike. */
export function field(value: Text): Uint8Array {
  const content = utf8(value);
  return concat(uint16(content.length), content);
}

/** Variable Byte Integer; `width` forces more bytes than needed. */
export function varint(value: number, width = 0): Uint8Array {
  const digits: number[] = [];
  let rest = value;
  do {
    digits.push(rest % 128);
    rest = Math.floor(rest / 128);
  } while (rest > 0 || digits.length < width);
  return Uint8Array.from(digits, (digit, index) => (index < digits.length - 1 ? digit | 0x80 : digit));
}

/** Reads fields from received bytes; throws past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(content: Uint8Array) {
    this.#bytes = content;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  take(length: number): Uint8Array {
    if (length > this.left) {
      throw new ConformanceError("bytes-malformed", "A field ends past the end of its packet.");
    }
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  uint8(): number {
    return this.take(1)[0] ?? 0;
  }

  uint16(): number {
    return this.uint8() * 0x100 + this.uint8();
  }

  uint32(): number {
    return this.uint16() * 0x10000 + this.uint16();
  }

  varint(): number {
    let value = 0;
    for (let index = 0; index < 4; index += 1) {
      const digit = this.uint8();
      value += (digit & 0x7f) * 128 ** index;
      if (digit < 0x80) {
        return value;
      }
    }
    throw new ConformanceError("bytes-malformed", "A variable byte integer has more than four bytes.");
  }

  binary(): Uint8Array {
    return this.take(this.uint16());
  }

  /** Throws `TypeError` on ill-formed UTF-8. */
  string(): string {
    return decoder.decode(this.binary());
  }
}
