import type { Decoder, DecoderOptions, PacketWriter } from "@tidewire/codec";
import type { Protocol } from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import { asError } from "./as-error.ts";
import { ConnectionLink } from "./connection-link.ts";
import { Deadlines } from "./deadlines.ts";
import type { Link, LinkLimits, LinkLoop, LinkLoopOptions, LinkOptions, Scheduler } from "./interfaces.ts";
import { defaultLimits } from "./limits.ts";

/** How bytes become packets and packets bytes. */
export interface Codec {
  createDecoder(options?: DecoderOptions): Decoder;
  createPacketWriter(): PacketWriter;
}

/**
 * Turns, flushes and deadlines of many links. A turn is what happens between two chances for I/O: all it wrote leaves
 * together at its end, and what promises something behind one barrier.
 */
export class Loop implements LinkLoop {
  readonly scheduler: Scheduler;
  readonly limits: LinkLimits;
  readonly onError: LinkLoopOptions["onError"];
  size = 0;
  readonly deadlines: Deadlines;
  readonly #codec: Codec;
  readonly #barrier: LinkLoopOptions["barrier"];
  #now = 0;
  #inTurn = false;
  /** Links with something to send or to mind at the end of this turn. */
  #touched: ConnectionLink[] = [];
  /** A barrier is pending. */
  #committing = false;
  /** Links that gather for the next one. */
  #waiting: ConnectionLink[] = [];
  /** Links with more input than one turn's share. */
  #unread: ConnectionLink[] = [];

  constructor(options: LinkLoopOptions, codec: Codec) {
    this.scheduler = options.scheduler;
    this.deadlines = new Deadlines(options.scheduler);
    this.limits = { ...defaultLimits, ...options.limits };
    this.#codec = codec;
    this.#barrier = options.barrier;
    this.onError = options.onError;
  }

  get now(): number {
    if (!this.#inTurn) {
      this.#inTurn = true;
      this.#now = this.scheduler.now();
      this.scheduler.defer(this.#endTurn);
    }
    return this.#now;
  }

  attach<S extends Protocol>(connection: Connection, options: LinkOptions<S>): Link<S> {
    const decoder = this.#codec.createDecoder(options.decoder);
    const writer = this.#codec.createPacketWriter();
    // A link needs to know of its session no more than what all sessions have.
    const link = new ConnectionLink(this, connection, decoder, writer, options as unknown as LinkOptions<Protocol>);
    this.size += 1;
    connection.start(link);
    link.touch();
    return link as Link as Link<S>;
  }

  /** `link` has something to flush or to mind. */
  touch(link: ConnectionLink): void {
    this.#touched.push(link);
    // Reading the time begins a turn, and with it the flush at its end.
    void this.now;
  }

  /** What `link` has written leaves now; in a commit under way it goes on waiting. */
  flush(link: ConnectionLink): void {
    const place = this.#touched.indexOf(link);
    if (place >= 0) {
      this.#flush(this.#touched.splice(place, 1));
    }
  }

  /** `link` goes on reading in a later turn. */
  readLater(link: ConnectionLink): void {
    if (this.#unread.push(link) > 1) {
      return;
    }
    if (this.scheduler.later !== undefined) {
      this.scheduler.later(this.#readOn);
    } else {
      this.scheduler.setTimer(this.#readOn, 0);
    }
  }

  /** `link` is over. */
  detach(link: ConnectionLink): void {
    this.size -= 1;
    this.deadlines.remove(link);
  }

  readonly #endTurn = (): void => {
    this.#inTurn = false;
    const touched = this.#touched;
    this.#touched = [];
    this.#flush(touched);
  };

  readonly #readOn = (): void => {
    const links = this.#unread;
    this.#unread = [];
    for (const link of links) {
      link.readOn();
    }
  };

  /** What promises nothing leaves at once, even while a barrier is pending. */
  #flush(links: readonly ConnectionLink[]): void {
    const promising: ConnectionLink[] = [];
    for (const link of links) {
      const { promises } = link;
      this.deadlines.wakeBy(link, link.deadline);
      if (promises && this.#committing) {
        this.#waiting.push(link);
        continue;
      }
      link.collect();
      if (promises) {
        promising.push(link);
      } else {
        link.dispatch();
      }
    }
    if (promising.length > 0) {
      this.#commit(promising);
    }
  }

  /** Sends what was collected of `links` behind the barrier, or ends them when that fails. */
  #commit(links: readonly ConnectionLink[]): void {
    const leave = (failure?: Error): void => {
      for (const link of links) {
        if (failure === undefined) {
          link.dispatch();
        } else {
          link.abort(failure);
        }
      }
    };
    const settle = (failure?: Error): void => {
      this.#committing = false;
      leave(failure);
      const waiting = this.#waiting;
      this.#waiting = [];
      this.#flush(waiting);
    };
    let barrier: Promise<void> | undefined;
    try {
      barrier = this.#barrier?.();
    } catch (error) {
      leave(asError(error));
      return;
    }
    if (barrier === undefined) {
      leave();
      return;
    }
    this.#committing = true;
    barrier.then(
      () => settle(),
      (reason: unknown) => settle(asError(reason)),
    );
  }
}
