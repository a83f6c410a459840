import { FIRST_SEGMENT_SIZE, MAXIMUM_AHEAD } from "./limits.ts";

/**
 * One packet that arrives in pieces. Bytes are copied into segments that are
 * joined once at the end: linear time, and a peer that announces a large packet gets memory only as it sends it.
 */
export class Assembly {
  /** Bytes held so far. */
  received = 0;
  readonly #size: number;
  readonly #full: Uint8Array[] = [];
  #segment: Uint8Array;
  #filled = 0;

  /** `size` bytes in all, of which `atHand` came already. */
  constructor(size: number, atHand: number) {
    this.#size = size;
    this.#segment = new Uint8Array(segmentSize(size, atHand, 0));
  }

  get missing(): number {
    return this.#size - this.received;
  }

  /** Takes what the packet still needs of `chunk` from `start` on; returns how many bytes that were. */
  add(chunk: Uint8Array, start: number): number {
    const count = Math.min(chunk.length - start, this.missing);
    const end = start + count;
    for (let from = start; from < end; ) {
      if (this.#filled === this.#segment.length) this.#extend(end - from);
      const piece = Math.min(end - from, this.#segment.length - this.#filled);
      if (piece === 1) this.#segment[this.#filled] = chunk[from] as number;
      else this.#segment.set(chunk.subarray(from, from + piece), this.#filled);
      this.#filled += piece;
      this.received += piece;
      from += piece;
    }
    return count;
  }

  /** The whole packet, once nothing is missing. */
  join(): Uint8Array {
    if (this.#full.length === 0) return this.#segment;
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const segment of this.#full) {
      whole.set(segment, at);
      at += segment.length;
    }
    whole.set(this.#segment, at);
    return whole;
  }

  #extend(atHand: number): void {
    this.#full.push(this.#segment);
    this.#segment = new Uint8Array(segmentSize(this.missing, atHand, this.received));
    this.#filled = 0;
  }
}

/**
 * Room for what is at hand and for seven times of all that came, so that most packets need one segment and no joining;
 * but never for 64 KiB more than came, nor for more than is missing: the last segment of a packet ends full.
 */
function segmentSize(missing: number, atHand: number, received: number): number {
  const ahead = Math.min(Math.max(FIRST_SEGMENT_SIZE, 7 * (received + atHand)), MAXIMUM_AHEAD);
  return Math.min(missing, atHand + ahead);
}
