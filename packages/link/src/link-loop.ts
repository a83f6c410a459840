import type { Decoder, DecoderOptions, PacketWriter } from "@tidewire/codec";
import type { Session } from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import { ConnectionLink } from "./connection-link.ts";
import { Deadlines } from "./deadlines.ts";
import type { Link, LinkLimits, LinkLoop, LinkLoopOptions, LinkOptions, Scheduler } from "./interfaces.ts";
import { defaultLimits, LONGEST_TIMER_MS } from "./limits.ts";

/** How bytes become packets and packets bytes. */
export interface Codec {
  createDecoder(options?: DecoderOptions): Decoder;
  createPacketWriter(): PacketWriter;
}

/**
 * Turns, flushes and deadlines of many links. A turn is what happens between two chances for I/O: all it wrote leaves
 * together at its end, behind one barrier.
 */
export class Loop implements LinkLoop {
  readonly scheduler: Scheduler;
  readonly limits: LinkLimits;
  size = 0;
  readonly #codec: Codec;
  readonly #barrier: LinkLoopOptions["barrier"];
  readonly #onError: LinkLoopOptions["onError"];
  readonly #deadlines: Deadlines<ConnectionLink> = new Deadlines();
  #now = 0;
  #inTurn = false;
  /** Links with something to send or to mind at the end of this turn. */
  #touched: ConnectionLink[] = [];
  /** Links whose bytes wait for the barrier; while there are any, others gather for the next flush. */
  #committing: ConnectionLink[] | undefined = undefined;
  /** Links with more input than one turn's share. */
  #unread: ConnectionLink[] = [];
  #timer: unknown = undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(options: LinkLoopOptions, codec: Codec) {
    this.scheduler = options.scheduler;
    this.limits = { ...defaultLimits, ...options.limits };
    this.#codec = codec;
    this.#barrier = options.barrier;
    this.#onError = options.onError;
  }

  get now(): number {
    if (!this.#inTurn) {
      this.#inTurn = true;
      this.#now = this.scheduler.now();
      this.scheduler.defer(this.#endTurn);
    }
    return this.#now;
  }

  attach<S extends Session>(connection: Connection, options: LinkOptions<S>): Link<S> {
    const decoder = this.#codec.createDecoder(options.decoder);
    const link = new ConnectionLink(this, connection, decoder, this.#codec.createPacketWriter(), options);
    this.size++;
    link.start();
    return link;
  }

  flush(): void {
    if (this.#committing !== undefined || this.#touched.length === 0) return;
    const links = this.#touched;
    this.#touched = [];
    for (const link of links) link.collect();
    this.#setTimer();
    let barrier: Promise<void> | undefined;
    try {
      barrier = this.#barrier?.();
    } catch (error) {
      for (const link of links) link.abort(asError(error));
      return;
    }
    if (barrier === undefined) {
      for (const link of links) link.dispatch();
      return;
    }
    this.#committing = links;
    barrier.then(this.#committed, this.#notCommitted);
  }

  /** `link` has something to flush or to mind. */
  touch(link: ConnectionLink): void {
    this.#touched.push(link);
    // Reading the time begins a turn, and with it the flush at its end.
    void this.now;
  }

  /** `link` goes on reading in a later turn. */
  readLater(link: ConnectionLink): void {
    if (this.#unread.push(link) > 1) return;
    if (this.scheduler.later !== undefined) this.scheduler.later(this.#readOn);
    else this.scheduler.setTimer(this.#readOn, 0);
  }

  wakeBy(link: ConnectionLink, time: number): void {
    this.#deadlines.wakeBy(link, time);
  }

  /** `link` is over. A timer that nobody needs would keep Node's process alive. */
  detach(link: ConnectionLink): void {
    this.size--;
    this.#deadlines.remove(link);
    if (this.size === 0) this.#clearTimer();
  }

  report(error: unknown, link: ConnectionLink): void {
    this.#onError?.(error, link);
  }

  readonly #endTurn = (): void => {
    this.#inTurn = false;
    this.flush();
    this.#setTimer();
  };

  readonly #committed = (): void => {
    const links = this.#committing as ConnectionLink[];
    this.#committing = undefined;
    for (const link of links) link.dispatch();
    this.flush();
  };

  readonly #notCommitted = (reason: unknown): void => {
    const links = this.#committing as ConnectionLink[];
    this.#committing = undefined;
    for (const link of links) link.abort(asError(reason));
    this.flush();
  };

  readonly #readOn = (): void => {
    const links = this.#unread;
    this.#unread = [];
    for (const link of links) link.readOn();
  };

  readonly #wake = (): void => {
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.now;
    for (let link = this.#deadlines.take(now); link !== undefined; link = this.#deadlines.take(now)) link.wake(now);
  };

  /** One timer for all, set only when it has to go off earlier than it is set to. */
  #setTimer(): void {
    const next = this.#deadlines.next;
    if (next >= this.#timerAt) return;
    this.#clearTimer();
    this.#timerAt = next;
    const delayMs = Math.max(0, Math.ceil(next - this.scheduler.now()));
    this.#timer = this.scheduler.setTimer(this.#wake, Math.min(delayMs, LONGEST_TIMER_MS));
  }

  #clearTimer(): void {
    if (this.#timerAt === Number.POSITIVE_INFINITY) return;
    this.scheduler.clearTimer(this.#timer);
    this.#timerAt = Number.POSITIVE_INFINITY;
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("the barrier failed", { cause: reason });
}
