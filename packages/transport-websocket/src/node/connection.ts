import type { Socket } from "node:net";
import { type ConnectionInfo, TransportError } from "@tidewire/transport";
import { SocketConnection, type SocketSettings, transportError } from "@tidewire/transport/node";
import type { RawData, WebSocket } from "ws";
import { closeError } from "../close-info.ts";
import { messagesOf } from "../messages.ts";
import { writeFrame } from "./frame.ts";

export interface WsSettings extends SocketSettings {
  readonly sentMessageBytes: number;
}

/** A connection over a WebSocket of `ws`, dialled or accepted. */
export class WsConnection extends SocketConnection {
  readonly #ws: WebSocket;
  readonly #sentMessageBytes: number;
  /** Accepted and not compressed: frames can be written without `ws`. */
  readonly #plain: boolean;
  #paused = false;
  /** The peer broke a rule and has been told: what else it sends does not count. */
  #refused = false;
  /** Messages that one read of the socket brought after `pause`; made when there is one. */
  #held: Uint8Array[] | undefined;
  /** The WebSocket closed while messages were held: how, until they are delivered. */
  #closedClean: boolean | undefined;

  constructor(ws: WebSocket, socket: Socket, accepted: boolean, info: ConnectionInfo, settings: WsSettings) {
    super(socket, info, settings);
    this.#ws = ws;
    this.#sentMessageBytes = settings.sentMessageBytes;
    this.#plain = accepted && ws.extensions === "";
    // The listeners are shared by all connections and find theirs through the WebSocket: no closures for each.
    (ws as OwnedWebSocket)[owner] = this;
    ws.on("message", onMessage);
    ws.on("error", onError);
    ws.on("close", onClose);
    // Nothing is read before `start`.
    ws.pause();
  }

  override get bufferedAmount(): number {
    return this.#plain ? super.bufferedAmount : this.#ws.readyState === this.#ws.CLOSED ? 0 : this.#ws.bufferedAmount;
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
    if (this.handler !== undefined) {
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
    this.#held = undefined;
    this.#ws.close(1000);
    this.#ws.resume();
  }

  protected endNow(): void {
    this.#held = undefined;
    this.#ws.terminate();
  }

  received(data: Buffer, isBinary: boolean): void {
    if (this.closing || this.#refused) {
      return;
    }
    if (!isBinary) {
      this.#refused = true;
      this.fail(new TransportError("text-frame", "The peer sent a text message."));
      this.#ws.close(1003);
      return;
    }
    if (this.handler !== undefined && !this.#paused && this.#held === undefined) {
      this.handler.onData(data);
    } else if (this.#held === undefined) {
      this.#held = [data];
    } else {
      this.#held.push(data);
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

  #deliverHeld(): void {
    while (this.#held !== undefined && !this.#paused) {
      const chunk = this.#held.shift();
      if (chunk === undefined) {
        this.#held = undefined;
      } else {
        this.handler?.onData(chunk);
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

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  (this as OwnedWebSocket)[owner].received(data as Buffer, isBinary);
}

function onError(this: WebSocket, error: Error): void {
  (this as OwnedWebSocket)[owner].failed(error);
}

function onClose(this: WebSocket, code: number): void {
  (this as OwnedWebSocket)[owner].closed(code);
}
