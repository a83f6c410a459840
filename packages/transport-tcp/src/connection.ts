import type { Socket } from "node:net";
import type { ConnectionInfo } from "@tidewire/transport";
import { SocketConnection, type SocketSettings, transportError, writeChunks } from "@tidewire/transport/node";

/** A connection over a TCP, TLS or Unix socket. */
export class TcpConnection extends SocketConnection {
  #paused = false;

  constructor(socket: Socket, info: ConnectionInfo, settings: SocketSettings) {
    super(socket, info, settings);
    // The listeners are shared by all connections and find theirs through the socket: no closures for each.
    (socket as OwnedSocket)[owner] = this;
    socket.on("end", onEnd);
    socket.on("error", onError);
    socket.on("close", onClose);
  }

  pause(): void {
    if (this.closing) {
      return;
    }
    this.#paused = true;
    if (this.started) {
      this.socket.pause();
    }
  }

  resume(): void {
    if (this.closing) {
      return;
    }
    this.#paused = false;
    if (this.started) {
      this.socket.resume();
    }
  }

  protected get writable(): boolean {
    return !this.socket.writableEnded;
  }

  protected startReading(): void {
    this.socket.on("data", onData);
    if (this.#paused) {
      this.socket.pause();
    } else {
      this.socket.resume();
    }
  }

  protected transmit(chunks: readonly Uint8Array[], size: number, callback: (() => void) | undefined): void {
    writeChunks(this.socket, chunks, size, callback);
  }

  protected endInOrder(): void {
    this.socket.end();
    this.socket.resume();
  }

  protected endNow(): void {
    // A reset tells the peer that bytes were lost. Only plain TCP has one, and only until the end has been sent.
    if (this.info.transport === "tcp" && !this.socket.writableEnded) {
      this.socket.resetAndDestroy();
    } else {
      this.socket.destroy();
    }
  }

  received(chunk: Uint8Array): void {
    if (!this.closing) {
      this.deliver(chunk);
    }
  }

  ended(): void {
    this.peerEnds();
  }

  failed(error: Error): void {
    this.fail(transportError(error));
  }

  closed(): void {
    this.finish(this.socket.readableEnded);
  }
}

const owner: unique symbol = Symbol("connection");

interface OwnedSocket extends Socket {
  [owner]: TcpConnection;
}

function onData(this: OwnedSocket, chunk: Uint8Array): void {
  this[owner].received(chunk);
}

function onEnd(this: OwnedSocket): void {
  this[owner].ended();
}

function onError(this: OwnedSocket, error: Error): void {
  this[owner].failed(error);
}

function onClose(this: OwnedSocket): void {
  this[owner].closed();
}
