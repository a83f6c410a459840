import type { Socket } from "node:net";
import { type ConnectionInfo, TransportError } from "@tidewire/transport";
import { SocketConnection, type SocketSettings, transportError } from "@tidewire/transport/node";
import type { RawData, WebSocket } from "ws";
import { closeError } from "../close-info.ts";
import { messagesOf } from "../messages.ts";
import { writeFrame } from "./frame.ts";
import { PendingInput } from "./pending-input.ts";

export interface WsSettings extends SocketSettings {
  readonly sentMessageBytes: number;
  /** What a connection holds of an unfinished message until `allowInput` says otherwise. */
  readonly firstInputBytes: number;
}

/** A connection over a WebSocket of `ws`, dialled or accepted. */
export class WsConnection extends SocketConnection {
  readonly #ws: WebSocket;
  readonly #sentMessageBytes: number;
  /** Accepted and not compressed: frames can be written without `ws`. */
  readonly #plain: boolean;
  readonly #pending: PendingInput;
  /** A ping was sent; something came since then; and the bytes that had left by then, for a peer that is only slow. */
  #asked = false;
  #heard = false;
  #left = 0;
  #paused = false;
  /** The peer broke a rule and has been told: what else it sends does not count. */
  #refused = false;
  /** Messages that one read of the socket brought after `pause`; made when there is one. */
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;
  /** The WebSocket closed while messages were held: how, until they are delivered. */
  #closedClean: boolean | undefined;

  constructor(ws: WebSocket, socket: Socket, accepted: boolean, info: ConnectionInfo, settings: WsSettings) {
    super(socket, info, settings);
    this.#ws = ws;
    this.#sentMessageBytes = settings.sentMessageBytes;
    this.#plain = accepted && ws.extensions === "";
    this.#pending = new PendingInput(accepted, ws.extensions !== "", settings.firstInputBytes);
    // The listeners are shared by all connections and find theirs through the WebSocket: no closures for each.
    (ws as OwnedWebSocket)[owner] = this;
    ws.on("message", onMessage);
    ws.on("error", onError);
    ws.on("close", onClose);
    ws.on("ping", onPing);
    ws.on("pong", onPong);
    // After the listener of `ws`: what is counted here has been taken apart already.
    (socket as OwnedSocket)[owner] = this;
    socket.on("data", onSocketData);
    // Nothing is read before `start`.
    ws.pause();
  }

  override get bufferedAmount(): number {
    return this.#plain ? super.bufferedAmount : this.#ws.readyState === this.#ws.CLOSED ? 0 : this.#ws.bufferedAmount;
  }

  override get pendingInput(): number {
    return this.gone ? 0 : this.#pending.bytes + this.#heldBytes;
  }

  override allowInput(bytes: number): void {
    this.#pending.allow(bytes);
  }

  pause(): void {
    if (this.closing) {
      return;
    }
    this.#paused = true;
    this.#ws.pause();
  }

  resume(): void {
    if (this.closing || !this.#paused) {
      return;
    }
    this.#paused = false;
    if (this.started) {
      process.nextTick(() => this.#deliverHeld());
    }
  }

  protected get writable(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  protected startReading(): void {
    process.nextTick(() => this.#deliverHeld());
  }

  protected transmit(chunks: readonly Uint8Array[], size: number, callback: (() => void) | undefined): void {
    if (this.#plain && size <= this.#sentMessageBytes) {
      writeFrame(this.socket, chunks, size, callback);
      return;
    }
    for (const message of messagesOf(chunks, this.#sentMessageBytes)) {
      this.#ws.send(message, callback);
    }
  }

  protected endInOrder(): void {
    this.#dropHeld();
    this.#ws.close(1000);
    this.#ws.resume();
  }

  protected endNow(): void {
    this.#dropHeld();
    this.#ws.terminate();
  }

  ping(): void {
    if (this.closing || this.#paused || this.#ws.readyState !== this.#ws.OPEN) {
      // Nothing is read now: an answer could not be seen.
      this.#asked = false;
      return;
    }
    const left = this.socket.bytesWritten - this.socket.writableLength;
    const moved = this.socket.writableLength > 0 && left > this.#left;
    this.#left = left;
    if (this.#asked && !this.#heard && !moved) {
      this.fail(new TransportError("timeout", "The peer did not answer a ping in time."));
      this.endNow();
      return;
    }
    this.#asked = true;
    this.#heard = false;
    this.#ws.ping();
  }

  /** A chunk of the socket that `ws` has taken apart. */
  arrived(bytes: number): void {
    this.#heard = true;
    if (this.#pending.arrived(bytes) || this.closing || this.#refused) {
      return;
    }
    this.#refused = true;
    this.fail(new TransportError("input-limit", "The peer sent more of an unfinished message than is allowed."));
    this.#ws.close(1009);
    // Not in order: until the peer answers, what it sends would be held.
    this.endNow();
  }

  pinged(data: Buffer): void {
    this.ponged(data);
    // `ws` gives up without a word on a peer that pings faster than the answers leave.
    if (!this.closing && !this.#refused && this.#ws.readyState === this.#ws.CLOSING) {
      this.fail(new TransportError("protocol", "The peer sent more pings than could be answered."));
    }
  }

  ponged(data: Buffer): void {
    this.#pending.taken(data.length);
  }

  received(data: Buffer, isBinary: boolean): void {
    this.#pending.taken(data.length);
    if (this.closing || this.#refused) {
      return;
    }
    if (!isBinary) {
      this.#refused = true;
      this.fail(new TransportError("text-frame", "The peer sent a text message."));
      this.#ws.close(1003);
      return;
    }
    if (this.started && !this.#paused && this.#held === undefined) {
      this.deliver(data);
    } else {
      this.#held ??= [];
      this.#held.push(data);
      this.#heldBytes += data.length;
    }
  }

  failed(error: Error): void {
    const code = (error as { code?: unknown }).code;
    if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" || code === "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH") {
      this.fail(new TransportError("message-too-big", "The peer sent a message over the limit.", { cause: error }));
    } else {
      this.fail(transportError(error, "protocol"));
    }
  }

  closed(code: number): void {
    const error = closeError(code);
    if (error !== undefined) {
      this.fail(error);
    }
    const clean = error === undefined;
    if (this.#held === undefined || this.closing) {
      this.finish(clean);
    } else {
      this.#closedClean = clean;
    }
  }

  #dropHeld(): void {
    this.#held = undefined;
    this.#heldBytes = 0;
  }

  #deliverHeld(): void {
    while (this.#held !== undefined && !this.#paused) {
      const chunk = this.#held.shift();
      if (chunk === undefined) {
        this.#held = undefined;
      } else {
        this.#heldBytes -= chunk.length;
        this.deliver(chunk);
      }
    }
    if (this.#paused) {
      return;
    }
    if (this.#closedClean !== undefined) {
      this.finish(this.#closedClean);
    } else {
      this.#ws.resume();
    }
  }
}

const owner: unique symbol = Symbol("connection");

interface OwnedWebSocket extends WebSocket {
  [owner]: WsConnection;
}

interface OwnedSocket extends Socket {
  [owner]: WsConnection;
}

function onSocketData(this: Socket, chunk: Buffer): void {
  (this as OwnedSocket)[owner].arrived(chunk.length);
}

function onPing(this: WebSocket, data: Buffer): void {
  (this as OwnedWebSocket)[owner].pinged(data);
}

function onPong(this: WebSocket, data: Buffer): void {
  (this as OwnedWebSocket)[owner].ponged(data);
}

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  (this as OwnedWebSocket)[owner].received(data as Buffer, isBinary);
}

function onError(this: WebSocket, error: Error): void {
  (this as OwnedWebSocket)[owner].failed(error);
}

function onClose(this: WebSocket, code: number): void {
  (this as OwnedWebSocket)[owner].closed(code);
}
