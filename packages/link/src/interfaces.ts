import type { DecoderOptions, PacketWriter } from "@tidewire/codec";
import type { Protocol } from "@tidewire/session";
import type { Connection } from "@tidewire/transport";

/** Time and turns. Node's is in `@tidewire/link/node`, the browser's in `@tidewire/link/browser`, a virtual one in transport-mock. */
export interface Scheduler {
  /** Monotonic milliseconds. */
  now(): number;
  /** Runs at the end of this turn: after the callbacks that are due now, before waiting for I/O. */
  defer(callback: () => void): void;
  /** Runs in a later turn, after I/O had its chance. Default: a timer of 0. */
  later?(callback: () => void): void;
  setTimer(callback: () => void, delayMs: number): unknown;
  clearTimer(handle: unknown): void;
}

export interface LinkLoopOptions {
  readonly scheduler: Scheduler;
  /**
   * Awaited once for all links of a flush whose sessions promised something, before their bytes leave: what they
   * acknowledge is durable then. Undefined when nothing is to be waited for. A rejection ends these links without sending
   * (nothing false is promised).
   */
  readonly barrier?: () => Promise<void> | undefined;
  /**
   * What a handler threw. It ends its own link, with the reason code for an implementation specific error, and no other;
   * without `onError` it shows in `ProtocolEnd.error` alone.
   */
  readonly onError?: (error: unknown, link: Link) => void;
  readonly limits?: Partial<LinkLimits>;
}

/** Defaults and reasons in limits.ts. */
export interface LinkLimits {
  /** Packets of one connection handled in one turn before others get theirs. */
  readonly packetsPerTurn: number;
  /** Bytes of one connection handled in one turn. */
  readonly bytesPerTurn: number;
  /** Unsent bytes that reading from a link made it write, above which its input rests: answers cannot pile up. */
  readonly pauseInputAboveBytes: number;
  /** How long the transport may stay full without taking a byte before the link is given up. */
  readonly stalledAfterMs: number;
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
  /** Called once inside `attach`; the session writes into `writer`. A client calls `session.open` here or after. */
  readonly createProtocol: (writer: PacketWriter, link: Link<S>) => S;
  readonly handler?: LinkHandler;
}

export interface LinkHandler {
  /** `writable` is true again after it was false. */
  onWritable?(): void;
  /** The connection is closed and the session has ended; last. */
  onClosed?(): void;
}

/** One connection and its session, driven. */
export interface Link<S extends Protocol = Protocol> {
  readonly protocol: S;
  readonly connection: Connection;
  readonly loop: LinkLoop;
  /** False while the transport is full: hold messages back in queues of your own until `onWritable`. */
  readonly writable: boolean;
  /** Written or handed to the transport and not gone yet, in bytes. */
  readonly pendingBytes: number;
  /** Call after any request on the session from outside its handlers: flushes at the end of the turn and minds deadlines. */
  touch(): void;
  /** The same, but flushes before the turn ends: for much that the peer can be at work on meanwhile. */
  flush(): void;
  /** The bytes of the packet now in `onPublish`, for forwarding unchanged; a view. */
  lastPacketBytes(): Uint8Array;
  /** No further packet reaches the session until `resume`, even of a chunk that is here; nestable calls are counted. */
  pause(): void;
  resume(): void;
  /** Flushes, then closes the connection. */
  close(): void;
  /** Closes at once; what is pending is lost. */
  abort(error?: Error): void;
}
