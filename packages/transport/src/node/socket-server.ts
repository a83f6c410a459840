import { createServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TlsOptions,
  type Server as TlsServer,
} from "node:tls";
import { TransportError } from "../errors.ts";
import { guard } from "../guard.ts";
import { AddressList } from "./address-list.ts";
import { addressText } from "./address-text.ts";
import { systemBacklog } from "./backlog.ts";
import { checkCredentials } from "./credentials.ts";
import { transportError } from "./errors.ts";
import { type HandshakeOptions, Handshakes } from "./handshakes.ts";
import { limits } from "./limits.ts";
import { readProxyHeader } from "./proxy-reader.ts";
import { report } from "./report.ts";

/** Where and how to listen; shared by the options of all listeners. */
export interface SocketServerOptions extends HandshakeOptions {
  /** Default: all addresses, IPv6 and IPv4. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** TLS, with Node's options: `cert` and `key`, `ca` with `requestCert` to demand client certificates. */
  readonly tls?: TlsOptions;
  /** Connections that the operating system keeps until they are accepted. Default: as many as it allows. */
  readonly backlog?: number;
  /** Send small packets at once, not joined by the system. Default true: a flush is joined already. */
  readonly noDelay?: boolean;
  /**
   * After so much silence TCP asks whether the peer is still there, so that one that vanished is noticed although MQTT's
   * keep-alive is off. Default 5 minutes; 0 for never.
   */
  readonly keepAliveDelayMs?: number;
  /** The proxies that send a PROXY header (version 1 or 2) before everything else: addresses and blocks. */
  readonly proxyProtocol?: { readonly trusted: readonly string[] };
}

/** What a listener makes of the sockets. */
export interface SocketUse {
  /** A Unix socket instead of host and port. */
  readonly path?: string | undefined;
  /** The protocols of TLS's ALPN unless the options name others. */
  readonly alpnProtocols: readonly string[];
  /** Proxies that open connections for many clients, whatever protocol tells who they are. */
  readonly proxies: AddressList;
  /** The socket still has a handshake ahead: its time goes on until the listener calls `handshakes.end`. */
  readonly upgrades: boolean;
  /** A socket that bytes can be read from, with TLS and PROXY header done; `source` is what the header told. */
  onSocket(socket: Socket, source: string | undefined): void;
}

/** Accepts sockets: backlog, PROXY headers, TLS, and the limits on both, for all listeners alike. */
export class SocketServer {
  readonly handshakes: Handshakes;
  readonly #options: SocketServerOptions;
  readonly #use: SocketUse;
  readonly #proxyHeaders: AddressList;
  readonly #server: Server;
  /** Never listens itself: it is given the sockets whose PROXY header has been read. */
  readonly #tlsServer: TlsServer | undefined;
  /** The clients of proxies, by the socket of the proxy. */
  readonly #sources = new WeakMap<Socket, string>();

  /** @throws TransportError `address-invalid`, `tls-credentials` */
  constructor(options: SocketServerOptions, use: SocketUse) {
    this.#options = options;
    this.#use = use;
    this.handshakes = new Handshakes(options);
    this.#proxyHeaders = new AddressList(options.proxyProtocol?.trusted ?? []);
    const keepAliveDelayMs = options.keepAliveDelayMs ?? limits.keepAliveDelayMs;
    this.#server = createServer(
      {
        noDelay: options.noDelay ?? true,
        keepAlive: keepAliveDelayMs > 0,
        keepAliveInitialDelay: keepAliveDelayMs,
      },
      (socket) => this.#accept(socket),
    );
    this.#tlsServer = options.tls === undefined ? undefined : this.#createTlsServer(options.tls);
  }

  /** Where it listens, such as `tcp://127.0.0.1:1883`, once it does. */
  url(scheme: string): string {
    const address = this.#server.address();
    return address === null || typeof address === "string"
      ? `unix://${this.#use.path}`
      : `${scheme}://${addressText(address.address, address.port)}`;
  }

  open(): Promise<void> {
    const { host, port = 0, backlog = systemBacklog() } = this.#options;
    const { path } = this.#use;
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => reject(transportError(error, "address-invalid"));
      this.#server.once("error", onError);
      this.#server.listen(path === undefined ? { host, port, backlog } : { path, backlog }, () => {
        this.#server.off("error", onError);
        this.#server.on("error", (error) => report(this.#options.onRefused, transportError(error), undefined));
        resolve();
      });
    });
  }

  close(): Promise<void> {
    this.handshakes.close();
    // The callback of `close` would wait for the connections too; the port is free as soon as the call is made.
    this.#server.close();
    return new Promise((resolve) => setImmediate(resolve));
  }

  /**
   * Other certificates for new connections; what the options do not name stays as it was.
   *
   * @throws TransportError `tls-credentials`: they cannot be used, and the old ones still are
   */
  reloadCertificate(options: SecureContextOptions): void {
    if (this.#tlsServer !== undefined) {
      // Without those of the listener the authorities for client certificates, among others, would be forgotten.
      const all: SecureContextOptions = { ...this.#options.tls, ...options };
      checkCredentials(all);
      this.#tlsServer.setSecureContext(all);
    }
  }

  #accept(socket: Socket): void {
    const sendsHeader = this.#proxyHeaders.has(socket.remoteAddress);
    if (sendsHeader || this.#tlsServer !== undefined || this.#use.upgrades) {
      socket.on("error", ignore);
      this.handshakes.begin(socket, sendsHeader || this.#use.proxies.has(socket.remoteAddress));
    }
    if (!sendsHeader) {
      this.#secure(socket, undefined);
      return;
    }
    readProxyHeader(socket, (result) => {
      if (result instanceof TransportError) {
        this.handshakes.fail(socket, result);
        socket.destroy();
      } else {
        this.#secure(socket, result.source);
      }
    });
  }

  #secure(socket: Socket, source: string | undefined): void {
    if (source !== undefined) {
      this.handshakes.identify(socket, source);
    }
    if (this.#tlsServer === undefined) {
      this.#ready(socket, source);
      return;
    }
    if (source !== undefined) {
      this.#sources.set(socket, source);
    }
    this.#tlsServer.emit("connection", socket);
  }

  #createTlsServer(options: TlsOptions): TlsServer {
    if (options.SNICallback === undefined || options.cert !== undefined) {
      checkCredentials(options);
    }
    // The deadline of the whole handshake is kept here; the server's own would only measure idle time.
    const server = createTlsServer({ ALPNProtocols: [...this.#use.alpnProtocols], ...options });
    server.on("secureConnection", (secured) => {
      const accepted = this.handshakes.accepted(secured);
      this.#ready(secured, accepted && this.#sources.get(accepted));
    });
    server.on("tlsClientError", (error, socket) => {
      // A peer that is gone leaves no address to know it by; the end of its socket is reported instead.
      if (socket.remoteAddress !== undefined) {
        this.handshakes.fail(socket, transportError(error, "tls-failed"));
      }
      socket.destroy();
    });
    return server;
  }

  #ready(socket: Socket, source: string | undefined): void {
    if (!this.#use.upgrades) {
      this.handshakes.end(socket);
    }
    // What a peer does to be odd is to end its own connection, and never the process.
    guard(
      () => this.#use.onSocket(socket, source),
      (cause) => {
        socket.on("error", ignore).destroy();
        const error = new TransportError("handshake-failed", "The connection could not be set up.", { cause });
        report(this.#options.onRefused, error, source ?? addressText(socket.remoteAddress, socket.remotePort));
      },
    );
  }
}

function ignore(): void {}
