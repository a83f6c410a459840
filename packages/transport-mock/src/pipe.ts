import type { ByteLane, MockConnection } from "./connection.ts";
import type { Random } from "./random.ts";
import type { VirtualScheduler, VirtualTimer } from "./scheduler.ts";

/** How delivered bytes are cut into chunks. */
export type Chunking = "as-sent" | "merge" | "split" | "bytes" | "random";

/** What a pipe needs of its link. */
export interface PipeOptions {
  readonly scheduler: VirtualScheduler;
  readonly random: Random;
  readonly chunking: Chunking;
  readonly stalled: () => boolean;
  readonly latencyMs: () => number;
  /** Tells that `bytes` are about to be delivered; how many of them the link lets through before it breaks. */
  readonly spend: (pipe: Pipe, bytes: Uint8Array) => number;
  /** The end marker arrived at the receiver. */
  readonly onEnd: (pipe: Pipe) => void;
}

/** One direction of a link: chunks on their way, in order, each with the time at which it arrives. */
export class Pipe implements ByteLane {
  readonly from: MockConnection;
  readonly to: MockConnection;
  readonly #options: PipeOptions;
  #queue: Item[] = [];
  /** Items of `#queue` already delivered; they are cut off in one go. */
  #head = 0;
  #bytes = 0;
  #lastDueMs = 0;
  #discarding = false;
  #event: VirtualTimer | undefined;

  constructor(from: MockConnection, to: MockConnection, options: PipeOptions) {
    this.from = from;
    this.to = to;
    this.#options = options;
  }

  /** Bytes sent and not delivered. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `unfinished`: a part of a message, which the receiver cannot hand on before the rest is there. */
  push(chunk: Uint8Array, unfinished = false): void {
    this.#bytes += chunk.length;
    this.#enqueue(chunk, unfinished);
  }

  /** What follows the last byte. */
  end(): void {
    this.#enqueue(undefined);
  }

  /** The receiver takes no more: what is left is read and thrown away, as a closing socket does. */
  discard(): void {
    this.#discarding = true;
    this.schedule();
  }

  /** Empties the pipe: the bytes are lost. */
  clear(): void {
    this.#queue = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  /** Arranges the next delivery when there is something to deliver, to somebody who reads. */
  schedule(): void {
    if (this.#event !== undefined || this.#options.stalled()) {
      return;
    }
    const next = this.#queue[this.#head];
    if (next === undefined || !(this.#discarding || this.to.reading)) {
      return;
    }
    const { scheduler } = this.#options;
    this.#event = scheduler.setNetworkEvent(this.#deliver, next.dueMs - scheduler.now());
  }

  readonly #deliver = (): void => {
    this.#event = undefined;
    const nowMs = this.#options.scheduler.now();
    while (!this.#options.stalled() && (this.#discarding || this.to.reading)) {
      const item = this.#queue[this.#head];
      if (item === undefined || item.dueMs > nowMs) {
        break;
      }
      if (item.chunk === undefined) {
        this.#shift();
        this.#options.onEnd(this);
      } else {
        this.#deliverChunk(this.#takeChunk(item.chunk, item.unfinished, nowMs), item.unfinished);
      }
    }
    this.from.sent(this.#bytes);
    this.schedule();
  };

  #deliverChunk(chunk: Uint8Array, unfinished: boolean): void {
    const allowed = this.#discarding ? chunk.length : this.#options.spend(this, chunk);
    this.#bytes = Math.max(0, this.#bytes - chunk.length);
    if (allowed > 0) {
      this.to.receive(allowed < chunk.length ? chunk.subarray(0, allowed) : chunk, unfinished);
    }
  }

  /** Takes the next piece off the queue, cut or joined as the chunking says. */
  #takeChunk(chunk: Uint8Array, unfinished: boolean, nowMs: number): Uint8Array {
    const { chunking, random } = this.#options;
    const way = chunking === "random" ? randomWays[random.integer(0, randomWays.length - 1)] : chunking;
    if (unfinished) {
      this.#shift();
      return chunk;
    }
    if (way === "merge") {
      return this.#takeAll(nowMs);
    }
    const length = way === "split" ? random.integer(1, chunk.length) : way === "bytes" ? 1 : chunk.length;
    if (length === chunk.length) {
      this.#shift();
      return chunk;
    }
    const item = this.#queue[this.#head] as Item;
    this.#queue[this.#head] = { ...item, chunk: chunk.subarray(length) };
    return chunk.subarray(0, length);
  }

  #takeAll(nowMs: number): Uint8Array {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const item = this.#queue[this.#head];
      if (item?.chunk === undefined || item.unfinished || item.dueMs > nowMs) {
        break;
      }
      chunks.push(item.chunk);
      length += item.chunk.length;
      this.#shift();
    }
    if (chunks.length === 1) {
      return chunks[0] as Uint8Array;
    }
    const joined = new Uint8Array(length);
    let offset = 0;
    for (const chunk of chunks) {
      joined.set(chunk, offset);
      offset += chunk.length;
    }
    return joined;
  }

  #enqueue(chunk: Uint8Array | undefined, unfinished = false): void {
    const dueMs = Math.max(this.#lastDueMs, this.#options.scheduler.now() + this.#options.latencyMs());
    this.#lastDueMs = dueMs;
    this.#queue.push({ chunk, unfinished, dueMs });
    this.schedule();
  }

  #shift(): void {
    this.#head += 1;
    if (this.#head === this.#queue.length || this.#head >= compactAt) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}

interface Item {
  /** Undefined: the end. */
  readonly chunk: Uint8Array | undefined;
  readonly unfinished: boolean;
  readonly dueMs: number;
}

const randomWays = ["as-sent", "merge", "split"] as const;

/** Delivered items kept at the front of the queue until they are cut off together. */
const compactAt = 1024;
