import type { CloseInfo, Connection, ConnectionHandler } from "../connection.ts";
import { TransportError } from "../errors.ts";
import type { ByteStreams } from "./from-web-streams.ts";

/**
 * Makes a pair of Web Streams of a connection that has not been started, and starts it. Closing the writable closes the
 * connection; aborting it, or cancelling the readable, aborts it.
 */
export function toWebStreams(connection: Connection): ByteStreams {
  const bridge = new Bridge(connection);
  // Nothing is read before somebody asks for it.
  connection.pause();
  const streams = {
    readable: new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          bridge.readable = controller;
        },
        pull: () => connection.resume(),
        cancel: (reason) => bridge.cancel(reason),
      },
      { highWaterMark: 0 },
    ),
    writable: new WritableStream<Uint8Array>({
      start: (controller) => {
        bridge.writable = controller;
      },
      write: (chunk) => bridge.write(chunk),
      close: () => bridge.close(),
      abort: (reason) => connection.abort(errorOf(reason)),
    }),
  };
  connection.start(bridge);
  return streams;
}

/** What happens on the connection, told to the controllers of the two streams. */
class Bridge implements ConnectionHandler {
  readable: ReadableStreamDefaultController<Uint8Array> | undefined;
  writable: WritableStreamDefaultController | undefined;
  readonly #connection: Connection;
  #onRoom: (() => void) | undefined;
  #onClosed: (() => void) | undefined;
  #cancelled = false;
  #closed = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  onData(chunk: Uint8Array): void {
    if (this.#cancelled) {
      return;
    }
    this.readable?.enqueue(chunk);
    if ((this.readable?.desiredSize ?? 0) <= 0) {
      this.#connection.pause();
    }
  }

  onDrain(): void {
    this.#onRoom?.();
  }

  onClose({ clean, error }: CloseInfo): void {
    this.#closed = true;
    if (clean) {
      if (!this.#cancelled) {
        this.readable?.close();
      }
    } else {
      const failure = error ?? closedError();
      if (!this.#cancelled) {
        this.readable?.error(failure);
      }
      this.writable?.error(failure);
    }
    this.#onRoom?.();
    this.#onClosed?.();
  }

  cancel(reason: unknown): void {
    this.#cancelled = true;
    this.#connection.abort(errorOf(reason));
  }

  /** Resolves when there is room for more. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#closed) {
      throw closedError();
    }
    if (this.#connection.send([chunk])) {
      return;
    }
    await new Promise<void>((resolve) => {
      this.#onRoom = resolve;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#connection.close();
    await new Promise<void>((resolve) => {
      this.#onClosed = resolve;
    });
  }
}

function closedError(): TransportError {
  return new TransportError("closed", "The connection has ended.");
}

function errorOf(reason: unknown): Error | undefined {
  return reason === undefined || reason instanceof Error ? reason : new TransportError("aborted", String(reason));
}
