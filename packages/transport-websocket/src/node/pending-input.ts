import { limits } from "./limits.ts";

/**
 * Counts what `ws` holds of a message that is not finished: what the socket brought, less what came out as messages and
 * control frames. The heads of the frames of a message in several are not known here; each message that comes out
 * bounds what they add up to, since nothing older than its chunk can be left then.
 */
export class PendingInput {
  /** Bytes of a frame's head beside its length field: of a masked frame and of one without a mask. */
  readonly #headBytes: number;
  /** Sizes of inflated messages say nothing about the bytes that came for them. */
  readonly #compressed: boolean;
  #allowed: number;
  #bytes = 0;
  /** Chunks of the network that the bytes came in: each costs memory of its own, however small. */
  #chunks = 0;
  /** Bytes that came out since the last chunk was counted; -1 for nothing. */
  #taken = -1;

  constructor(fromClient: boolean, compressed: boolean, allowed: number) {
    this.#headBytes = fromClient ? 6 : 2;
    this.#compressed = compressed;
    this.#allowed = allowed;
  }

  get bytes(): number {
    return this.#bytes;
  }

  allow(bytes: number): void {
    this.#allowed = bytes;
  }

  /** A message or a control frame with so many bytes of content came out. */
  taken(contentBytes: number): void {
    const lengthBytes = contentBytes < 126 ? 0 : contentBytes < 65_536 ? 2 : 8;
    this.#taken = Math.max(this.#taken, 0) + contentBytes + lengthBytes + this.#headBytes;
  }

  /** A chunk came, and what it finished was taken. False when more is held than is allowed. */
  arrived(bytes: number): boolean {
    if (this.#taken < 0) {
      this.#bytes += bytes;
      this.#chunks += 1;
      const chunksAllowed = Math.max(limits.leastChunks, this.#allowed / limits.bytesPerChunk);
      return this.#bytes <= this.#allowed && this.#chunks <= chunksAllowed;
    }
    const left = this.#compressed ? 0 : this.#bytes + bytes - this.#taken;
    this.#bytes = Math.min(bytes, Math.max(0, left));
    this.#chunks = 1;
    this.#taken = -1;
    return this.#bytes <= this.#allowed;
  }
}
