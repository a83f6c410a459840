import { createServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TlsOptions,
  type Server as TlsServer,
} from "node:tls";
import { type Connection, type Listener, TransportError } from "@tidewire/transport";
import {
  AddressList,
  addressText,
  Handshakes,
  type SocketSettings,
  socketSettings,
  transportError,
} from "@tidewire/transport/node";
import { TcpConnection } from "./connection.ts";
import { connectionInfo } from "./connection-info.ts";
import { limits } from "./limits.ts";
import { readProxyHeader } from "./proxy-reader.ts";

export interface TcpListenerOptions {
  /** Default: all addresses, IPv6 and IPv4. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** A Unix socket instead of host and port; without TLS. */
  readonly path?: string;
  /**
   * TLS, with Node's options: `cert` and `key`, `ca` with `requestCert` (and `rejectUnauthorized`, on by default) to
   * demand client certificates, `SNICallback` for several hosts, `ALPNProtocols` (by default `mqtt`).
   */
  readonly tls?: TlsOptions;
  /** Connections that the operating system keeps until they are accepted. */
  readonly backlog?: number;
  /** From accept to the end of PROXY header and TLS handshake. */
  readonly handshakeTimeoutMs?: number;
  /** Connections in their handshake at a time; more are closed. */
  readonly pendingHandshakes?: number;
  /** The proxies that send a PROXY header (version 1 or 2) before everything else: addresses and blocks. */
  readonly proxyProtocol?: { readonly trusted: readonly string[] };
  /** `send` returns false from here. */
  readonly highWaterMark?: number;
  /** `onDrain` comes at this level, at most half the high mark. */
  readonly lowWaterMark?: number;
  /** How long `close` of a connection waits for the peer. */
  readonly closeTimeoutMs?: number;
  /** Told of each peer that did not get as far as a connection, for the log. */
  readonly onRefused?: (error: TransportError, remoteAddress: string | undefined) => void;
}

export interface TcpListener extends Listener {
  /** New certificates for new connections; those that exist go on. */
  reloadCertificate(options: SecureContextOptions): void;
}

/** Listens on TCP, TLS (with `tls`) or a Unix socket (with `path`). */
export function tcpListener(
  options: TcpListenerOptions = {},
): (onConnection: (connection: Connection) => void) => Promise<TcpListener> {
  return (onConnection) => new SocketListener(options, onConnection).open();
}

class SocketListener implements TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #onConnection: (connection: Connection) => void;
  readonly #settings: SocketSettings;
  readonly #handshakes: Handshakes;
  readonly #trustedProxies: AddressList;
  readonly #server: Server;
  /** Never listens itself: it is given the sockets whose PROXY header has been read. */
  readonly #tlsServer: TlsServer | undefined;
  /** The clients of proxies, by the socket of the proxy. */
  readonly #sources = new WeakMap<Socket, string>();
  #addresses: readonly string[] = [];

  constructor(options: TcpListenerOptions, onConnection: (connection: Connection) => void) {
    if (options.tls !== undefined && options.path !== undefined) {
      throw new TransportError("address-invalid", "TLS on a Unix socket is not offered.");
    }
    this.#options = options;
    this.#onConnection = onConnection;
    this.#settings = socketSettings(options);
    this.#handshakes = new Handshakes(
      options.handshakeTimeoutMs ?? limits.handshakeTimeoutMs,
      options.pendingHandshakes ?? limits.pendingHandshakes,
    );
    this.#trustedProxies = new AddressList(options.proxyProtocol?.trusted ?? []);
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#tlsServer = options.tls === undefined ? undefined : this.#createTlsServer(options.tls);
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  open(): Promise<TcpListener> {
    const { host, port = 0, path, backlog = limits.backlog } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(transportError(error, "address-invalid"));
      this.#server.once("error", onError);
      this.#server.listen(path === undefined ? { host, port, backlog } : { path, backlog }, () => {
        this.#server.off("error", onError);
        this.#server.on("error", (error) => this.#options.onRefused?.(transportError(error), undefined));
        this.#addresses = [this.#url()];
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
    this.#tlsServer?.setSecureContext(options);
  }

  #accept(socket: Socket): void {
    const fromProxy = this.#trustedProxies.has(socket.remoteAddress);
    if (!fromProxy && this.#tlsServer === undefined) {
      this.#deliver(socket, undefined);
      return;
    }
    if (!this.#handshakes.begin(socket)) {
      return;
    }
    socket.on("error", ignore);
    if (!fromProxy) {
      this.#secure(socket, undefined);
      return;
    }
    readProxyHeader(socket, (result) => {
      if (result instanceof TransportError) {
        this.#refuse(socket, result);
      } else {
        this.#secure(socket, result.source);
      }
    });
  }

  #secure(socket: Socket, source: string | undefined): void {
    if (this.#tlsServer === undefined) {
      this.#handshakes.end(socket);
      this.#deliver(socket, source);
      return;
    }
    if (source !== undefined) {
      this.#sources.set(socket, source);
    }
    this.#tlsServer.emit("connection", socket);
  }

  #createTlsServer(options: TlsOptions): TlsServer {
    // The deadline of the whole handshake is kept here; the server's own would only measure idle time.
    const server = createTlsServer({ ALPNProtocols: ["mqtt"], ...options });
    server.on("secureConnection", (secured) => {
      const accepted = this.#handshakes.end(secured);
      this.#deliver(secured, accepted && this.#sources.get(accepted));
    });
    server.on("tlsClientError", (error, socket) => this.#refuse(socket, transportError(error, "tls-failed")));
    return server;
  }

  #deliver(socket: Socket, source: string | undefined): void {
    const info = connectionInfo(socket, this.#options.path, source);
    this.#onConnection(new TcpConnection(socket, info, this.#settings));
  }

  #refuse(socket: Socket, error: TransportError): void {
    const remoteAddress = addressText(socket.remoteAddress, socket.remotePort);
    socket.destroy();
    this.#options.onRefused?.(error, remoteAddress);
  }

  #url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") {
      return `unix://${this.#options.path}`;
    }
    return `${this.#tlsServer === undefined ? "tcp" : "tls"}://${addressText(address.address, address.port)}`;
  }
}

function ignore(): void {}
