import { checksum, RECORD_KINDS, type RecordKind } from "./record-frame.ts";

/**
 * Builds one record after another in one buffer that is used again: numbers big-endian, texts and byte arrays after
 * their length. What `finish` returns is valid until the next `start`.
 */
export class RecordWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #end = 0;

  start(): void {
    this.#end = 0;
  }

  kind(kind: RecordKind): void {
    this.u8(RECORD_KINDS[kind]);
  }

  finish(): Buffer {
    this.u32(checksum(this.#buffer.subarray(0, this.#end)));
    return this.#buffer.subarray(0, this.#end);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#end] = value;
    this.#end += 1;
  }

  u16(value: number): void {
    this.#reserve(2);
    this.#end = this.#buffer.writeUInt16BE(value, this.#end);
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#end = this.#buffer.writeUInt32BE(value, this.#end);
  }

  /** Sequence numbers and ids: enough for a million a second over eight years. */
  u48(value: number): void {
    this.u16(Math.floor(value / 0x100000000));
    this.u32(value % 0x100000000);
  }

  /** Infinity is kept as it is. */
  f64(value: number): void {
    this.#reserve(8);
    this.#end = this.#buffer.writeDoubleBE(value, this.#end);
  }

  /** A point of the store's time, see clock.ts. */
  time(ms: number): void {
    this.f64(ms);
  }

  text(value: string): void {
    this.#reserve(2 + value.length * 3);
    const length = this.#buffer.write(value, this.#end + 2);
    this.#buffer.writeUInt16BE(length, this.#end);
    this.#end += 2 + length;
  }

  /** Length as two bytes: what MQTT calls binary data. */
  binary(value: Uint8Array): void {
    this.u16(value.length);
    this.bytes(value);
  }

  /** Without a length: the rest of a record, or after a length of its own. */
  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#end);
    this.#end += value.length;
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#buffer.length) {
      return;
    }
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#end + count));
    this.#buffer.copy(grown, 0, 0, this.#end);
    this.#buffer = grown;
  }
}

const INITIAL_BYTES = 65_536;
