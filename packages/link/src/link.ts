import type { DecoderOptions, PacketWriter } from "@tidewire/codec";
import type { Protocol } from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import type { LinkLimits } from "./limits.ts";
import type { Scheduler } from "./scheduler.ts";

export interface LinkLoopOptions {
  readonly scheduler: Scheduler;
  /**
   * Awaited once for all links of a flush whose protocols promised something, before their bytes leave: what they
   * acknowledge is durable then. Undefined when nothing is to be waited for. A rejection, like an error thrown, ends these
   * links without sending (nothing false is promised).
   */
  readonly barrier?: () => Promise<void> | undefined;
  /**
   * What a handler, a protocol engine or a connection threw. It ends its own link and no other: what a handler threw, with
   * the reason code for an implementation specific error, the rest at once. Without `onError` it shows in
   * `ProtocolEnd.error` alone. What `onError` throws itself is dropped.
   */
  readonly onError?: (error: unknown, link: Link) => void;
  readonly limits?: Partial<LinkLimits>;
}

/** The place that drives many links: one flush for all that were touched, one timer for all deadlines. */
export interface LinkLoop {
  readonly scheduler: Scheduler;
  /** Milliseconds, read once per turn. */
  readonly now: number;
  readonly size: number;
  attach<S extends Protocol>(connection: Connection, options: LinkOptions<S>): Link<S>;
}

export interface LinkOptions<S extends Protocol> {
  readonly decoder?: DecoderOptions;
  /** Called once inside `attach`; the protocol writes into `writer`. A client calls its `open` here or after. */
  readonly createProtocol: (writer: PacketWriter, link: Link<S>) => S;
  readonly handler?: LinkHandler;
}

export interface LinkHandler {
  /** `writable` is true again after it was false. */
  onWritable?(): void;
  /**
   * The connection has closed while the link is paused, or has more to read than one turn allows. What it brought is read
   * as if it were open, and `onClosed` comes after it; "drop" does without, and `onClosed` comes now. `error`: it did not end
   * in order.
   */
  onHangup?(error: Error | undefined): "drop" | "read";
  /** The connection is closed and the protocol has ended; last. */
  onClosed?(): void;
}

/** One connection and its protocol, driven. */
export interface Link<S extends Protocol = Protocol> {
  readonly protocol: S;
  readonly connection: Connection;
  readonly loop: LinkLoop;
  /** False while the transport is full: hold messages back in queues of your own until `onWritable`. */
  readonly writable: boolean;
  /** Written or handed to the transport and not gone yet, in bytes. */
  readonly pendingBytes: number;
  /** Received and not handed to the protocol yet, in bytes; without what the transport still has of an unfinished message. */
  readonly unreadBytes: number;
  /** The largest packet taken from now on, in place of the decoder option's. */
  limitPackets(maximumPacketSize: number): void;
  /** Call after any request on the protocol from outside its handlers: flushes at the end of the turn and minds deadlines. */
  touch(): void;
  /** The same, but flushes before the turn ends: for much that the peer can be at work on meanwhile. */
  flush(): void;
  /** The bytes of the packet now in `onPublish`, for forwarding unchanged; a view. */
  lastPacketBytes(): Uint8Array;
  /** No further packet reaches the protocol until `resume`, even of a chunk that is here; nestable calls are counted. */
  pause(): void;
  resume(): void;
  /** Flushes, then closes the connection. */
  close(): void;
  /** Closes at once; what is pending is lost. */
  abort(error?: Error): void;
}
