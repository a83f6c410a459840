import type { Decoder, DecoderOptions, PacketWriter } from "@tidewire/codec";
import type { Protocol } from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import { ConnectionLink, type LinkTurns } from "./connection-link.ts";
import { Deadlines } from "./deadlines.ts";
import { asError, guard } from "./guard.ts";
import { defaultLimits, type LinkLimits } from "./limits.ts";
import type { Link, LinkLoopOptions, LinkOptions } from "./link.ts";
import { later, type Scheduler } from "./scheduler.ts";

/** How bytes become packets and packets bytes. */
export interface Codec {
  createDecoder(options?: DecoderOptions): Decoder;
  createPacketWriter(): PacketWriter;
}

/**
 * Turns, flushes and deadlines of many links. A turn is what happens between two chances for I/O: all it wrote leaves
 * together at its end, and what promises something behind one barrier.
 */
export class Loop implements LinkTurns {
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
    try {
      // A link needs to know of its protocol no more than what all have.
      const link = new ConnectionLink(this, connection, decoder, writer, options as unknown as LinkOptions<Protocol>);
      connection.start(link);
      this.size += 1;
      link.touch();
      return link as Link as Link<S>;
    } catch (error) {
      // The caller is told; nobody would ever read from the connection.
      guard(() => connection.abort(asError(error)), undefined);
      throw error;
    }
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
    later(this.scheduler, this.#readOn);
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
      try {
        link.readOn();
      } catch (error) {
        link.giveUp(error);
      }
    }
  };

  /** What promises nothing leaves at once, even while a barrier is pending. */
  #flush(links: readonly ConnectionLink[]): void {
    const promising: ConnectionLink[] = [];
    for (const link of links) {
      try {
        if (this.#prepare(link)) {
          promising.push(link);
        }
      } catch (error) {
        link.giveUp(error);
      }
    }
    if (promising.length > 0) {
      this.#commit(promising);
    }
  }

  /** Sends what one link has written, or collects it and returns true, when it has to wait for the barrier. */
  #prepare(link: ConnectionLink): boolean {
    const { promises } = link;
    this.deadlines.wakeBy(link, link.deadline);
    if (promises && this.#committing) {
      this.#waiting.push(link);
      return false;
    }
    link.collect();
    if (!promises) {
      link.dispatch();
    }
    return promises;
  }

  /** Sends what was collected of `links` behind the barrier, or ends them when that fails. */
  #commit(links: readonly ConnectionLink[]): void {
    let barrier: PromiseLike<void> | undefined;
    try {
      barrier = this.#barrier?.();
    } catch (error) {
      this.#leave(links, asError(error));
      return;
    }
    if (barrier === undefined) {
      this.#leave(links, undefined);
      return;
    }
    this.#committing = true;
    // A thenable may call back twice, or throw as well.
    let settled = false;
    const settle = (failure: Error | undefined): void => {
      if (!settled) {
        settled = true;
        this.#settle(links, failure);
      }
    };
    try {
      barrier.then(
        () => settle(undefined),
        (reason: unknown) => settle(asError(reason)),
      );
    } catch (error) {
      settle(asError(error));
    }
  }

  #settle(links: readonly ConnectionLink[], failure: Error | undefined): void {
    this.#committing = false;
    this.#leave(links, failure);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#flush(waiting);
  }

  #leave(links: readonly ConnectionLink[], failure: Error | undefined): void {
    for (const link of links) {
      try {
        if (failure === undefined) {
          link.dispatch();
        } else {
          link.abort(failure);
        }
      } catch (error) {
        link.giveUp(error);
      }
    }
  }
}
