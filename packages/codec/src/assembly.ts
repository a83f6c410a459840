import { FIRST_SEGMENT_SIZE, MAXIMUM_AHEAD } from "./limits.ts";

/**
 * One packet that arrives in pieces. Bytes are copied into segments that are joined once at the end: linear time, and
 * a peer that announces a large packet gets memory only as it sends it.
 */
export class Assembly {
  /** Bytes held so far. */
  received = 0;
  readonly #size: number;
  readonly #full: Uint8Array[] = [];
  #segment: Uint8Array;
  #filled = 0;

  /** `size` bytes in all: those of the fixed header, `atHand` more for the next `add`, and others to come. */
  constructor(header: Uint8Array, size: number, atHand: number) {
    this.#size = size;
    this.#segment = this.#allocate(header.length + atHand);
    this.add(header, 0);
  }

  /** Takes what the packet still needs of `chunk` from `start` on; returns how many bytes that were. */
  add(chunk: Uint8Array, start: number): number {
    const end = Math.min(chunk.length, start + this.#size - this.received);
    let from = start;
    while (from < end) {
      if (this.#filled === this.#segment.length) {
        this.#full.push(this.#segment);
        this.#segment = this.#allocate(end - from);
        this.#filled = 0;
      }
      const count = Math.min(end - from, this.#segment.length - this.#filled);
      this.#segment.set(chunk.subarray(from, from + count), this.#filled);
      this.#filled += count;
      this.received += count;
      from += count;
    }
    return end - start;
  }

  /** The whole packet, once all of it was received. */
  join(): Uint8Array {
    if (this.#full.length === 0) return this.#segment;
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const segment of [...this.#full, this.#segment]) {
      whole.set(segment, at);
      at += segment.length;
    }
    return whole;
  }

  /**
   * Room for what is at hand and for seven times of all that came, so that most packets need one segment and no joining;
   * but never for 64 KiB more than came, nor for more than is missing: the last segment of a packet ends full.
   */
  #allocate(atHand: number): Uint8Array {
    const ahead = Math.min(Math.max(FIRST_SEGMENT_SIZE, 7 * (this.received + atHand)), MAXIMUM_AHEAD);
    return new Uint8Array(Math.min(this.#size - this.received, atHand + ahead));
  }
}
