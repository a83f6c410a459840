import type { CloseInfo, Connection, ConnectionHandler, ConnectionInfo } from "../connection.ts";
import { TransportError } from "../errors.ts";
import { callbackError, guard, warn } from "../guard.ts";
import { limits } from "./limits.ts";

/** The two streams of a duplex channel, such as `WebTransportBidirectionalStream` or a `WebSocketStream`'s connection. */
export interface ByteStreams {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

export interface FromWebStreamsOptions {
  /** What is known about the channel. */
  readonly info?: Partial<ConnectionInfo>;
  /** `send` returns false from here. */
  readonly highWaterMark?: number;
  /** `onDrain` comes at this level. */
  readonly lowWaterMark?: number;
  /** How long `close` waits for the other end. */
  readonly closeTimeoutMs?: number;
}

/** Makes a connection of a pair of Web Streams; it owns them from then on. */
export function fromWebStreams(streams: ByteStreams, options: FromWebStreamsOptions = {}): Connection {
  return new StreamConnection(streams, options);
}

class StreamConnection implements Connection {
  readonly info: ConnectionInfo;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #highWaterMark: number;
  readonly #lowWaterMark: number;
  readonly #closeTimeoutMs: number;
  #handler: ConnectionHandler | undefined;
  #bufferedAmount = 0;
  #blocked = false;
  #paused = false;
  #reading = false;
  /** Read when `pause` came in between. */
  #held: Uint8Array | undefined;
  #closing = false;
  #closeInfo: CloseInfo | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor({ readable, writable }: ByteStreams, options: FromWebStreamsOptions) {
    this.info = {
      transport: "stream",
      remoteAddress: undefined,
      localAddress: undefined,
      secure: false,
      protocol: undefined,
      ...options.info,
    };
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    this.#highWaterMark = options.highWaterMark ?? limits.highWaterMark;
    this.#lowWaterMark = Math.min(options.lowWaterMark ?? limits.lowWaterMark, this.#highWaterMark - 1);
    this.#closeTimeoutMs = options.closeTimeoutMs ?? limits.closeTimeoutMs;
    this.#writer.closed.catch((error: unknown) => this.#broken(error));
  }

  get bufferedAmount(): number {
    return this.#closeInfo === undefined ? this.#bufferedAmount : 0;
  }

  get pendingInput(): number {
    return this.#held?.length ?? 0;
  }

  start(handler: ConnectionHandler): void {
    if (this.#handler !== undefined) {
      throw new TransportError("misuse", "start() was called a second time: a connection has one handler.");
    }
    this.#handler = handler;
    const closeInfo = this.#closeInfo;
    if (closeInfo !== undefined) {
      queueMicrotask(() => tellClosed(handler, closeInfo));
      return;
    }
    queueMicrotask(() => this.#drain());
    this.#read();
  }

  send(chunks: readonly Uint8Array[]): boolean {
    if (this.#closing) {
      return false;
    }
    for (const chunk of chunks) {
      if (chunk.length > 0) {
        this.#write(chunk);
      }
    }
    if (this.#bufferedAmount >= this.#highWaterMark) {
      this.#blocked = true;
    }
    return !this.#blocked;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#handler !== undefined) {
      this.#read();
    }
  }

  /** A stream has nothing unfinished: what is not read stays with the peer. */
  allowInput(): void {}

  close(): void {
    if (this.#closing) {
      return;
    }
    this.#closing = true;
    this.#closeTimer = setTimeout(() => {
      this.#end({ clean: false, error: new TransportError("timeout", "The other end did not end in time.") });
    }, this.#closeTimeoutMs);
    this.#writer.close().catch((error: unknown) => this.#broken(error));
    // What still comes is read and dropped, up to the end of the other side.
    this.#read();
  }

  abort(error?: Error): void {
    if (this.#closeInfo !== undefined) {
      return;
    }
    this.#closing = true;
    this.#end(error === undefined ? { clean: false } : { clean: false, error });
  }

  #write(chunk: Uint8Array): void {
    this.#bufferedAmount += chunk.length;
    this.#writer.write(chunk).then(
      () => {
        this.#bufferedAmount -= chunk.length;
        this.#drain();
      },
      (error: unknown) => this.#broken(error),
    );
  }

  #drain(): void {
    if (!this.#blocked || this.#closing || this.#handler === undefined) {
      return;
    }
    if (this.#bufferedAmount > this.#lowWaterMark) {
      return;
    }
    this.#blocked = false;
    const handler = this.#handler;
    guard(
      () => handler.onDrain(),
      (cause) => this.abort(callbackError("onDrain", cause)),
    );
  }

  /** Keeps one read going unless paused. */
  #read(): void {
    if (this.#reading) {
      return;
    }
    this.#reading = true;
    this.#readOn().catch((error: unknown) => this.#broken(error));
  }

  async #readOn(): Promise<void> {
    // The first delivery must not happen inside `start` or `resume`.
    await undefined;
    while (this.#closeInfo === undefined && (!this.#paused || this.#closing)) {
      const chunk = this.#held ?? (await this.#next());
      this.#held = undefined;
      if (chunk === undefined) {
        return;
      }
      if (this.#closing) {
        continue;
      }
      if (this.#paused) {
        this.#held = chunk;
      } else {
        guard(
          () => this.#handler?.onData(chunk),
          (cause) => this.abort(callbackError("onData", cause)),
        );
      }
    }
    this.#reading = false;
  }

  async #next(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#reader.read();
    if (!done) {
      return value;
    }
    if (this.#closing) {
      this.#end({ clean: true });
    } else {
      // The other side has ended: what was sent here still leaves, then this side ends too.
      await this.#writer.close();
      this.#end({ clean: true });
    }
    return undefined;
  }

  #broken(cause: unknown): void {
    const error = cause instanceof TransportError ? cause : new TransportError("reset", "The stream broke.", { cause });
    this.#end({ clean: false, error });
  }

  #end(outcome: { readonly clean: boolean; readonly error?: Error }): void {
    if (this.#closeInfo !== undefined) {
      return;
    }
    clearTimeout(this.#closeTimer);
    const closeInfo: CloseInfo = { initiator: this.#closing ? "local" : "remote", ...outcome };
    this.#closing = true;
    this.#closeInfo = closeInfo;
    if (!outcome.clean) {
      this.#reader.cancel(outcome.error).catch(ignore);
      this.#writer.abort(outcome.error).catch(ignore);
    }
    const handler = this.#handler;
    if (handler !== undefined) {
      queueMicrotask(() => tellClosed(handler, closeInfo));
    }
  }
}

function tellClosed(handler: ConnectionHandler, closeInfo: CloseInfo): void {
  guard(
    () => handler.onClose(closeInfo),
    (cause) => warn("onClose", cause),
  );
}

function ignore(): void {}
