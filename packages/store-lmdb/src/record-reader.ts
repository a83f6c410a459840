import { corrupt } from "./failure.ts";

/** Reads a record that `RecordWriter` built. Every read is checked against the end; a short record is a corrupt one. */
export class RecordReader {
  /** Taken off every time, see clock.ts. */
  readonly shiftMs: number;
  #record: Buffer = EMPTY;
  #position = 0;

  constructor(shiftMs: number) {
    this.shiftMs = shiftMs;
  }

  /** `record` must not be used again by whoever gave it: byte arrays are handed out as views of it. */
  start(record: Buffer): void {
    this.#record = record;
    this.#position = 0;
  }

  u8(): number {
    return this.#record[this.#take(1)]!;
  }

  u16(): number {
    return this.#record.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#record.readUInt32BE(this.#take(4));
  }

  u48(): number {
    return this.u16() * 0x100000000 + this.u32();
  }

  f64(): number {
    return this.#record.readDoubleBE(this.#take(8));
  }

  time(): number {
    return this.f64() - this.shiftMs;
  }

  text(): string {
    const length = this.u16();
    const start = this.#take(length);
    return this.#record.toString("utf8", start, start + length);
  }

  binary(): Uint8Array {
    return this.bytes(this.u16());
  }

  bytes(length: number): Uint8Array {
    const start = this.#take(length);
    return new Uint8Array(this.#record.buffer, this.#record.byteOffset + start, length);
  }

  rest(): Uint8Array {
    return this.bytes(this.#record.length - this.#position);
  }

  #take(count: number): number {
    const start = this.#position;
    if (start + count > this.#record.length) {
      throw corrupt("a record ends too early");
    }
    this.#position = start + count;
    return start;
  }
}

const EMPTY = Buffer.alloc(0);
