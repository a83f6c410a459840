import {
  type CloseInfo,
  type Connection,
  type ConnectionHandler,
  type ConnectionInfo,
  TransportError,
} from "@tidewire/transport";
import { closeError } from "./close-info.ts";
import { limits } from "./limits.ts";
import { messagesOf } from "./messages.ts";

/** Sizes and times of a connection. */
export interface PlatformSettings {
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  readonly closeTimeoutMs: number;
  readonly sentMessageBytes: number;
  readonly heldBytes: number;
}

/**
 * A connection over the platform's WebSocket. Two things the platform cannot do are made up for here: it has no event
 * for "sent", so `bufferedAmount` is watched while above the high mark; and it cannot stop receiving, so what comes
 * while paused is held, up to a limit.
 */
export class PlatformConnection implements Connection {
  readonly info: ConnectionInfo;
  readonly #socket: WebSocket;
  readonly #settings: PlatformSettings;
  #handler: ConnectionHandler | undefined;
  readonly #held: Uint8Array[] = [];
  #heldBytes = 0;
  #paused = false;
  #closing = false;
  #closeInfo: CloseInfo | undefined;
  #announced = false;
  #drainTimer: ReturnType<typeof setTimeout> | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: WebSocket, info: ConnectionInfo, settings: PlatformSettings) {
    this.#socket = socket;
    this.info = info;
    this.#settings = settings;
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onerror = null;
    socket.onclose = (event) => {
      const error = closeError(event.code);
      this.#finish(event.wasClean && error === undefined, error);
    };
  }

  get bufferedAmount(): number {
    return this.#closeInfo === undefined ? this.#socket.bufferedAmount : 0;
  }

  start(handler: ConnectionHandler): void {
    if (this.#handler !== undefined) throw new Error("start may be called once");
    this.#handler = handler;
    queueMicrotask(() => this.#deliverHeld());
  }

  send(chunks: readonly Uint8Array[]): boolean {
    // Between the peer's close frame and `onclose` the platform would drop the bytes too, with a word on the console.
    if (this.#closing || this.#socket.readyState !== this.#socket.OPEN) return false;
    for (const message of messagesOf(chunks, this.#settings.sentMessageBytes)) {
      if (message.length > 0) this.#socket.send(message as Uint8Array<ArrayBuffer>);
    }
    if (this.#socket.bufferedAmount >= this.#settings.highWaterMark) this.#watchDrain();
    return this.#drainTimer === undefined;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    queueMicrotask(() => this.#deliverHeld());
  }

  close(): void {
    if (this.#closing) return;
    this.#end();
    this.#socket.close(1000);
  }

  abort(error?: Error): void {
    if (this.#closeInfo !== undefined) return;
    this.#end();
    // The platform cannot drop a connection at once: it closes in its own time, and we do not wait. The code, one of
    // those left to applications, tells the peer that this is no orderly end.
    this.#socket.close(abortCode);
    this.#finish(false, error);
  }

  #receive(data: unknown): void {
    if (this.#closing) return;
    if (!(data instanceof ArrayBuffer)) {
      this.#breakOff(new TransportError("text-frame", "The peer sent a text message."));
      return;
    }
    const chunk = new Uint8Array(data);
    if (this.#handler !== undefined && !this.#paused && this.#held.length === 0) {
      this.#handler.onData(chunk);
      return;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes > this.#settings.heldBytes) {
      this.#breakOff(new TransportError("message-too-big", "More was received while paused than may be held."));
    }
  }

  #deliverHeld(): void {
    while (this.#handler !== undefined && !this.#paused) {
      const chunk = this.#held.shift();
      if (chunk === undefined) break;
      this.#heldBytes -= chunk.length;
      this.#handler.onData(chunk);
    }
    if (this.#closeInfo !== undefined) this.#announceClose();
  }

  /** The peer did what it must not: the connection ends now, for a reason that is its own. */
  #breakOff(error: Error): void {
    this.#socket.close();
    this.#finish(false, error);
  }

  #end(): void {
    this.#closing = true;
    this.#held.length = 0;
    clearTimeout(this.#drainTimer);
    this.#closeTimer = setTimeout(
      () => this.#finish(false, new TransportError("timeout", "The peer did not answer the closing handshake.")),
      this.#settings.closeTimeoutMs,
    );
  }

  #finish(clean: boolean, error: Error | undefined): void {
    if (this.#closeInfo !== undefined) return;
    clearTimeout(this.#closeTimer);
    clearTimeout(this.#drainTimer);
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    const initiator = this.#closing ? "local" : "remote";
    this.#closeInfo = error === undefined ? { initiator, clean } : { initiator, clean, error };
    queueMicrotask(() => this.#deliverHeld());
  }

  /** Last of all, after what was held. */
  #announceClose(): void {
    const handler = this.#handler;
    if (handler === undefined || this.#held.length > 0 || this.#announced) return;
    this.#announced = true;
    this.#closing = true;
    handler.onClose(this.#closeInfo as CloseInfo);
  }

  #watchDrain(): void {
    this.#drainTimer ??= setTimeout(() => {
      this.#drainTimer = undefined;
      if (this.#handler === undefined || this.#socket.bufferedAmount > this.#settings.lowWaterMark) this.#watchDrain();
      else this.#handler.onDrain();
    }, limits.drainPollMs);
  }
}

const abortCode = 4000;
