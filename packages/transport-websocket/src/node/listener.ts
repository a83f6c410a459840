import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from "node:http";
import { createServer as createSecureServer, type Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { SecureContextOptions, TlsOptions } from "node:tls";
import type { Connection, Listener } from "@tidewire/transport";
import { addressText, Handshakes, transportError } from "@tidewire/transport/node";
import { limits } from "./limits.ts";
import { type UpgradeOptions, Upgrader } from "./upgrade.ts";

export interface WebSocketListenerOptions extends UpgradeOptions {
  /** Default: all addresses, IPv6 and IPv4. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** TLS (`wss:`), with Node's options: `cert` and `key`, `ca` with `requestCert` to demand client certificates. */
  readonly tls?: TlsOptions;
  /** Connections that the operating system keeps until they are accepted. */
  readonly backlog?: number;
  /** From accept to the end of TLS handshake and upgrade. */
  readonly handshakeTimeoutMs?: number;
  /** Connections in their handshake at a time; more are closed. */
  readonly pendingHandshakes?: number;
  /** Request line and headers together; more is answered with status 431. */
  readonly maxHeaderBytes?: number;
}

export interface WebSocketListener extends Listener {
  /** New certificates for new connections; those that exist go on. */
  reloadCertificate(options: SecureContextOptions): void;
}

/** Listens for WebSockets on a port of its own; every other request is answered with status 426. */
export function webSocketListener(
  options: WebSocketListenerOptions = {},
): (onConnection: (connection: Connection) => void) => Promise<WebSocketListener> {
  return (onConnection) => new HttpListener(options, onConnection).open();
}

class HttpListener implements WebSocketListener {
  readonly #options: WebSocketListenerOptions;
  readonly #upgrader: Upgrader;
  readonly #handshakes: Handshakes;
  readonly #server: Server | SecureServer;
  #addresses: readonly string[] = [];

  constructor(options: WebSocketListenerOptions, onConnection: (connection: Connection) => void) {
    this.#options = options;
    this.#upgrader = new Upgrader(options, onConnection);
    this.#handshakes = new Handshakes(
      options.handshakeTimeoutMs ?? limits.handshakeTimeoutMs,
      options.pendingHandshakes ?? limits.pendingHandshakes,
    );
    this.#server = this.#createServer();
    this.#server.on("connection", (socket: Socket) => this.#handshakes.begin(socket));
    this.#server.on("upgrade", (request, socket, head) => {
      this.#handshakes.end(socket as Socket);
      this.#upgrader.handle(request, socket as Socket, head);
    });
    this.#server.on("tlsClientError", (error: Error) => {
      options.onRefused?.(transportError(error, "tls-failed"), undefined);
    });
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  open(): Promise<WebSocketListener> {
    const { host, port = 0, backlog = limits.backlog } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(transportError(error, "address-invalid"));
      this.#server.once("error", onError);
      this.#server.listen({ host, port, backlog }, () => {
        this.#server.off("error", onError);
        this.#server.on("error", (error) => this.#options.onRefused?.(transportError(error), undefined));
        const { address, port } = this.#server.address() as AddressInfo;
        const scheme = this.#options.tls === undefined ? "ws" : "wss";
        this.#addresses = [`${scheme}://${addressText(address, port)}${this.#upgrader.path}`];
        resolve(this);
      });
    });
  }

  close(): Promise<void> {
    this.#handshakes.close();
    // The callback of `close` would wait for the connections too; the port is free as soon as the call is made.
    this.#server.close();
    return new Promise((resolve) => setImmediate(resolve));
  }

  reloadCertificate(options: SecureContextOptions): void {
    if ("setSecureContext" in this.#server) {
      this.#server.setSecureContext(options);
    }
  }

  #createServer(): Server | SecureServer {
    const options: ServerOptions = {
      maxHeaderSize: this.#options.maxHeaderBytes ?? limits.headerBytes,
      noDelay: true,
      // Whoever is not upgraded in time is closed by `Handshakes`, keep-alive or not.
      keepAlive: false,
    };
    const { tls } = this.#options;
    return tls === undefined
      ? createServer(options, answerUpgradeRequired)
      : createSecureServer({ ...options, ...tls }, answerUpgradeRequired);
  }
}

function answerUpgradeRequired(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(426, { connection: "close", upgrade: "websocket", "content-type": "text/plain" });
  response.end("This port speaks MQTT over WebSocket.");
}
