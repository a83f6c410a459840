import { damaged } from "./failure.ts";
import { CHECKSUM_BYTES, checksum, RECORD_KINDS, type RecordKind } from "./record-frame.ts";

/** Reads a record that `RecordWriter` built. Every read is checked against the end; a short record is a damaged one. */
export class RecordReader {
  #record: Buffer = EMPTY;
  #position = 0;
  #end = 0;

  /**
   * Throws `store-corrupt` when it is not as it was written. `record` must not be used again by whoever gave it: byte
   * arrays are handed out as views of it.
   */
  start(record: Buffer): void {
    if (!this.tryStart(record)) {
      throw damaged("a record is not as it was written");
    }
  }

  /** False instead of an error. */
  tryStart(record: Buffer): boolean {
    this.#record = record;
    this.#position = 0;
    this.#end = record.length - CHECKSUM_BYTES;
    return this.#end > 0 && record.readUInt32BE(this.#end) === checksum(record.subarray(0, this.#end));
  }

  /** Passes over the first byte, which has to say that the record is of this kind. */
  kind(kind: RecordKind): void {
    if (this.u8() !== RECORD_KINDS[kind]) {
      throw damaged("a record is of another kind than those beside it");
    }
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

  /** A point of the store's time, see clock.ts. */
  time(): number {
    return this.f64();
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
    return this.bytes(this.#end - this.#position);
  }

  #take(count: number): number {
    const start = this.#position;
    if (start + count > this.#end) {
      throw damaged("a record ends too early");
    }
    this.#position = start + count;
    return start;
  }
}

const EMPTY = Buffer.alloc(0);
