import type { PacketWriter } from "@tidewire/codec";
import type { Connection } from "@tidewire/transport";
import type { LinkLimits } from "./limits.ts";

/** What an output needs of its loop. */
interface OutputHost {
  readonly limits: LinkLimits;
  /** To be read only where it is needed: it begins a turn. */
  readonly now: number;
}

/**
 * What goes out of a link: taken from the writer at the end of a turn, handed to the transport once the barrier is passed,
 * and measured there: a transport that is full and takes nothing for long is stalled.
 */
export class LinkOutput {
  readonly #writer: PacketWriter;
  readonly #connection: Connection;
  readonly #loop: OutputHost;
  /** Taken from the writer, waiting for the barrier. */
  #chunks: readonly Uint8Array[] = NONE;
  #chunkBytes = 0;
  /** Since when the transport takes no more; Infinity while it does. */
  #fullSince: number = Number.POSITIVE_INFINITY;
  /** Bytes that had left the transport then. */
  #goneBytes = 0;
  /** Bytes handed to the transport so far. */
  #sentBytes = 0;

  constructor(writer: PacketWriter, connection: Connection, loop: OutputHost) {
    this.#writer = writer;
    this.#connection = connection;
    this.#loop = loop;
  }

  /** Taken and waiting for the barrier. */
  get collectedBytes(): number {
    return this.#chunkBytes;
  }

  get pendingBytes(): number {
    return this.#writer.pendingBytes + this.#chunkBytes + this.#connection.bufferedAmount;
  }

  get full(): boolean {
    return this.#fullSince < Number.POSITIVE_INFINITY;
  }

  /** When it has been full for too long. */
  get stalledAt(): number {
    return this.#fullSince + this.#loop.limits.stalledAfterMs;
  }

  /** Takes what is written, to leave with this flush. */
  collect(): void {
    const bytes = this.#writer.pendingBytes;
    this.#chunks = this.#writer.take();
    this.#chunkBytes = bytes;
  }

  /** Forgets what is written and what was collected. */
  discard(): void {
    this.#writer.take();
    this.#chunks = NONE;
    this.#chunkBytes = 0;
  }

  /** Hands over what was collected. Returns whether the transport became full with it. */
  send(): boolean {
    const chunks = this.#chunks;
    const bytes = this.#chunkBytes;
    this.#chunks = NONE;
    this.#chunkBytes = 0;
    if (bytes === 0) {
      return false;
    }
    this.#sentBytes += bytes;
    if (this.#connection.send(chunks) || this.full) {
      return false;
    }
    this.#fullSince = this.#loop.now;
    this.#goneBytes = this.#sentBytes - this.#connection.bufferedAmount;
    return true;
  }

  /** The transport takes more again. */
  drained(): void {
    this.#fullSince = Number.POSITIVE_INFINITY;
  }

  /** Full for long: whether nothing left meanwhile. If something did, the time counts anew. */
  isStalled(now: number): boolean {
    const goneBytes = this.#sentBytes - this.#connection.bufferedAmount;
    if (goneBytes === this.#goneBytes) {
      return true;
    }
    this.#goneBytes = goneBytes;
    this.#fullSince = now;
    return false;
  }
}

const NONE: readonly Uint8Array[] = [];
