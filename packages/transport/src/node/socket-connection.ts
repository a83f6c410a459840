import type { Socket } from "node:net";
import type { CloseInfo, Connection, ConnectionHandler, ConnectionInfo } from "../connection.ts";
import { TransportError } from "../errors.ts";
import { callbackError, guard, warn, watch } from "../guard.ts";
import { afterReading } from "./after-reading.ts";
import { limits } from "./limits.ts";

/** What all connections of one dialler or listener have in common; one object for all, to keep each small. */
export interface SocketSettings {
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  readonly closeTimeoutMs: number;
}

/** Fills in the defaults. The low mark is at most half the high one: see `SocketConnection.send`. */
export function socketSettings(
  options: { readonly [Key in keyof SocketSettings]?: number | undefined },
): SocketSettings {
  const highWaterMark = Math.max(options.highWaterMark ?? limits.highWaterMark, limits.leastHighWaterMark);
  const lowWaterMark = Math.min(options.lowWaterMark ?? limits.lowWaterMark, highWaterMark >> 1);
  return { highWaterMark, lowWaterMark, closeTimeoutMs: options.closeTimeoutMs ?? limits.closeTimeoutMs };
}

/**
 * The parts of a connection over a Node socket that do not depend on what is spoken on it: the handler, the water
 * marks, and closing exactly once.
 */
export abstract class SocketConnection implements Connection {
  readonly info: ConnectionInfo;
  protected readonly socket: Socket;
  readonly #settings: SocketSettings;
  #handler: ConnectionHandler | undefined;
  #closeInfo: CloseInfo | undefined;
  #closing = false;
  #aborted = false;
  #error: Error | undefined;
  #blocked = false;
  /** Made when it is first needed: most connections never are that far behind. */
  #onWritten: (() => void) | undefined;
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, info: ConnectionInfo, settings: SocketSettings) {
    this.socket = socket;
    this.info = info;
    this.#settings = settings;
  }

  get bufferedAmount(): number {
    return this.#closeInfo === undefined ? this.socket.writableLength : 0;
  }

  /** A byte stream has nothing unfinished: what is read is handed on, and what is not read stays with the peer. */
  get pendingInput(): number {
    return 0;
  }

  allowInput(_bytes: number): void {}

  start(handler: ConnectionHandler): void {
    if (this.#handler !== undefined) {
      throw new TransportError("misuse", "start() was called a second time: a connection has one handler.");
    }
    this.#handler = handler;
    const closeInfo = this.#closeInfo;
    if (closeInfo !== undefined) {
      process.nextTick(() => this.#tellClosed(handler, closeInfo));
      return;
    }
    if (this.#blocked) {
      process.nextTick(() => this.#drain());
    }
    if (!this.#closing) {
      this.startReading();
    }
  }

  send(chunks: readonly Uint8Array[]): boolean {
    if (this.#closing || !this.writable) {
      return false;
    }
    let size = 0;
    for (const chunk of chunks) {
      size += chunk.length;
    }
    if (size > 0) {
      // Writes that leave the buffer under the low mark need no callback: none of them can be the one whose end takes
      // a full buffer (twice as much at least) down to the mark.
      const watched = this.socket.writableLength + size >= this.#settings.lowWaterMark;
      this.transmit(chunks, size, watched ? this.#watcher() : undefined);
      if (this.bufferedAmount >= this.#settings.highWaterMark) {
        this.#blocked = true;
      }
    }
    return !this.#blocked;
  }

  abstract pause(): void;

  abstract resume(): void;

  close(): void {
    if (this.#closing) {
      return;
    }
    this.#closing = true;
    this.#limitClosing();
    this.endInOrder();
  }

  abort(error?: Error): void {
    if (this.#aborted || this.#closeInfo !== undefined) {
      return;
    }
    this.#closing = true;
    this.#aborted = true;
    this.#error = error;
    this.endNow();
  }

  /** False once the peer has ended its direction and this side is about to follow. */
  protected abstract get writable(): boolean;

  /** Begins to read, unless paused. */
  protected abstract startReading(): void;

  /** Writes the chunks, `size` bytes together and not empty, at once; the callback is for the last byte. */
  protected abstract transmit(chunks: readonly Uint8Array[], size: number, callback: (() => void) | undefined): void;

  /** Ends after what was written; reads and drops what still comes, or the end of the peer would never be seen. */
  protected abstract endInOrder(): void;

  protected abstract endNow(): void;

  protected get started(): boolean {
    return this.#handler !== undefined;
  }

  /** Hands on what was received. What the handler throws ends this connection and nothing else. */
  protected deliver(chunk: Uint8Array): void {
    try {
      const result: unknown = this.#handler?.onData(chunk);
      // An asynchronous handler: its failure comes later.
      if (result !== undefined) {
        watch(result, (cause) => this.abort(callbackError("onData", cause)));
      }
    } catch (cause) {
      this.abort(callbackError("onData", cause));
    }
  }

  /** The socket is gone, and all that was held with it. */
  protected get gone(): boolean {
    return this.#closeInfo !== undefined;
  }

  /** This side ended it: nothing is delivered any more. */
  protected get closing(): boolean {
    return this.#closing;
  }

  /** The peer ends it: what is buffered gets a limit of time as well. */
  protected peerEnds(): void {
    if (!this.#closing) {
      this.#limitClosing();
    }
  }

  /** Remembers why it ends; the first reason counts. */
  protected fail(error: Error): void {
    if (!this.#aborted) {
      this.#error ??= error;
    }
  }

  /** The socket is gone. */
  protected finish(clean: boolean): void {
    if (this.#closeInfo !== undefined) {
      return;
    }
    clearTimeout(this.#closeTimer);
    const initiator = this.#closing ? "local" : "remote";
    const error = this.#error;
    const closeInfo: CloseInfo =
      error === undefined ? { initiator, clean: clean && !this.#aborted } : { initiator, clean: false, error };
    this.#closing = true;
    this.#closeInfo = closeInfo;
    if (this.#handler !== undefined) {
      this.#tellClosed(this.#handler, closeInfo);
    }
  }

  #tellClosed(handler: ConnectionHandler, closeInfo: CloseInfo): void {
    guard(
      () => handler.onClose(closeInfo),
      (cause) => warn("onClose", cause),
    );
  }

  #watcher(): () => void {
    this.#onWritten ??= () => this.#drain();
    return this.#onWritten;
  }

  #drain(): void {
    if (!this.#blocked || this.#closing || this.#handler === undefined) {
      return;
    }
    if (this.bufferedAmount > this.#settings.lowWaterMark) {
      return;
    }
    this.#blocked = false;
    const handler = this.#handler;
    guard(
      () => handler.onDrain(),
      (cause) => this.abort(callbackError("onDrain", cause)),
    );
  }

  #giveUp(): void {
    if (this.#closeInfo === undefined) {
      this.fail(new TransportError("timeout", "The peer did not take the last bytes in time."));
      this.endNow();
    }
  }

  #limitClosing(): void {
    // The peer's end may lie in the socket unread.
    this.#closeTimer ??= setTimeout(() => afterReading(() => this.#giveUp()), this.#settings.closeTimeoutMs);
  }
}

/** Writes the chunks with one system call: joined when they are small, gathered (`writev`) when not. */
export function writeChunks(
  socket: Socket,
  chunks: readonly Uint8Array[],
  size: number,
  callback: (() => void) | undefined,
): void {
  if (chunks.length === 1) {
    socket.write(chunks[0] as Uint8Array, callback);
  } else if (size <= limits.joinedWriteBytes) {
    socket.write(Buffer.concat(chunks, size), callback);
  } else {
    socket.cork();
    const last = chunks.length - 1;
    for (let i = 0; i < last; i += 1) {
      socket.write(chunks[i] as Uint8Array);
    }
    socket.write(chunks[last] as Uint8Array, callback);
    socket.uncork();
  }
}
