import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { type Connection, type Listener, TransportError } from "@tidewire/transport";
import { AddressList, SocketServer, type SocketServerOptions } from "@tidewire/transport/node";
import { limits } from "./limits.ts";
import { answer } from "./refusal.ts";
import { type UpgradeOptions, Upgrader } from "./upgrade.ts";

export interface WebSocketListenerOptions extends UpgradeOptions, SocketServerOptions {
  /** Request line and headers together; more is answered with status 431. */
  readonly maxHeaderBytes?: number;
}

export interface WebSocketListener extends Listener {
  /**
   * Other certificates for new connections; those that exist go on, and so do the other options of TLS.
   *
   * @throws TransportError `tls-credentials` when certificate and key do not belong together: the old ones stay in use
   */
  reloadCertificate(options: SecureContextOptions): void;
}

/**
 * Listens for WebSockets on a port of its own; every other request is answered with status 426. What `onConnection`
 * throws ends its connection and is told to `onRefused`.
 */
export function webSocketListener(
  options: WebSocketListenerOptions = {},
): (onConnection: (connection: Connection) => void) => Promise<WebSocketListener> {
  return async (onConnection) => {
    const listener = new HttpListener(options, onConnection);
    await listener.open();
    return listener;
  };
}

class HttpListener implements WebSocketListener {
  readonly #options: WebSocketListenerOptions;
  readonly #upgrader: Upgrader;
  readonly #sockets: SocketServer;
  /** Never listens itself: it is given the sockets that PROXY header and TLS are done with. */
  readonly #http: Server;
  /** The clients that PROXY headers told of. */
  readonly #sources = new WeakMap<Socket, string>();
  /** Sockets that had their answer: what is pipelined behind it is not looked at. */
  readonly #answered = new WeakSet<Socket>();
  #addresses: readonly string[] = [];

  constructor(options: WebSocketListenerOptions, onConnection: (connection: Connection) => void) {
    this.#options = options;
    this.#sockets = new SocketServer(options, {
      alpnProtocols: ["http/1.1"],
      proxies: new AddressList(options.trustedProxies ?? []),
      upgrades: true,
      onSocket: (socket, source) => this.#take(socket, source),
    });
    this.#upgrader = new Upgrader(options, this.#sockets.handshakes, onConnection);
    this.#http = this.#createHttpServer();
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  async open(): Promise<void> {
    await this.#sockets.open();
    const url = this.#sockets.url(this.#options.tls === undefined ? "ws" : "wss");
    this.#addresses = this.#upgrader.paths.map((path) => `${url}${path}`);
  }

  close(): Promise<void> {
    return this.#sockets.close();
  }

  reloadCertificate(options: SecureContextOptions): void {
    this.#sockets.reloadCertificate(options);
  }

  #take(socket: Socket, source: string | undefined): void {
    if (source !== undefined) {
      this.#sources.set(socket, source);
    }
    this.#http.emit("connection", socket);
    // Reading the header has stopped it.
    socket.resume();
  }

  #createHttpServer(): Server {
    const server = createServer(
      { maxHeaderSize: this.#options.maxHeaderBytes ?? limits.headerBytes },
      (request, response) => this.#answerUpgradeRequired(request, response),
    );
    server.on("upgrade", (request, socket, head) => {
      if (this.#answered.has(socket as Socket)) {
        socket.destroy();
      } else {
        this.#upgrader.handle(request, socket as Socket, head, this.#sources.get(socket as Socket));
      }
    });
    server.on("clientError", (error: Error & { code?: string }, socket) => {
      const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
      const reason = status === 431 ? "The headers are too large." : "This is not HTTP/1.1.";
      this.#sockets.handshakes.fail(socket as Socket, new TransportError("handshake-failed", reason, { cause: error }));
      answer(socket as Socket, { status, reason });
    });
    return server;
  }

  #answerUpgradeRequired({ socket }: IncomingMessage, response: ServerResponse): void {
    const reason = "This port speaks MQTT over WebSocket.";
    this.#answered.add(socket);
    this.#sockets.handshakes.fail(
      socket,
      new TransportError("handshake-failed", "The request was not for an upgrade."),
    );
    response.writeHead(426, { connection: "close", upgrade: "websocket", "content-type": "text/plain" });
    response.end(reason);
  }
}
