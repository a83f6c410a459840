import type { CloseInfo, Connection, ConnectionHandler, ConnectionInfo } from "@tidewire/transport";
import type { MetricsRecorder } from "../metrics/index.ts";

/** A connection whose bytes are counted on their way. */
export class CountedConnection implements Connection, ConnectionHandler {
  readonly #connection: Connection;
  readonly #metrics: MetricsRecorder;
  #handler!: ConnectionHandler;

  constructor(connection: Connection, metrics: MetricsRecorder) {
    this.#connection = connection;
    this.#metrics = metrics;
  }

  get info(): ConnectionInfo {
    return this.#connection.info;
  }

  get bufferedAmount(): number {
    return this.#connection.bufferedAmount;
  }

  get pendingInput(): number {
    return this.#connection.pendingInput;
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    this.#connection.start(this);
  }

  send(chunks: readonly Uint8Array[]): boolean {
    for (const chunk of chunks) {
      this.#metrics.bytesSent += chunk.byteLength;
    }
    return this.#connection.send(chunks);
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  allowInput(bytes: number): void {
    this.#connection.allowInput(bytes);
  }

  close(): void {
    this.#connection.close();
  }

  abort(error?: Error): void {
    this.#connection.abort(error);
  }

  onData(chunk: Uint8Array): void {
    this.#metrics.bytesReceived += chunk.byteLength;
    this.#handler.onData(chunk);
  }

  onDrain(): void {
    this.#handler.onDrain();
  }

  onClose(info: CloseInfo): void {
    this.#handler.onClose(info);
  }
}
