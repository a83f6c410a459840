import type { Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { type Connection, type Listener, TransportError } from "@tidewire/transport";
import {
  AddressList,
  deliverConnection,
  SocketServer,
  type SocketServerOptions,
  type SocketSettings,
  socketSettings,
} from "@tidewire/transport/node";
import { TcpConnection } from "./connection.ts";
import { connectionInfo } from "./connection-info.ts";

export interface TcpListenerOptions extends SocketServerOptions {
  /** A Unix socket instead of host and port; without TLS. */
  readonly path?: string;
  /** `send` returns false from here. */
  readonly highWaterMark?: number;
  /** `onDrain` comes at this level, at most half the high mark. */
  readonly lowWaterMark?: number;
  /** How long `close` of a connection waits for the peer. */
  readonly closeTimeoutMs?: number;
}

export interface TcpListener extends Listener {
  /**
   * Other certificates for new connections; those that exist go on, and so do the other options of TLS.
   *
   * @throws TransportError `tls-credentials` when certificate and key do not belong together: the old ones stay in use
   */
  reloadCertificate(options: SecureContextOptions): void;
}

/**
 * Listens on TCP, TLS (with `tls`) or a Unix socket (with `path`). What `onConnection` throws ends its connection and
 * is told to `onRefused`.
 */
export function tcpListener(
  options: TcpListenerOptions = {},
): (onConnection: (connection: Connection) => void) => Promise<TcpListener> {
  return async (onConnection) => {
    const listener = new SocketListener(options, onConnection);
    await listener.open();
    return listener;
  };
}

class SocketListener implements TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #onConnection: (connection: Connection) => void;
  readonly #settings: SocketSettings;
  readonly #server: SocketServer;
  #addresses: readonly string[] = [];

  constructor(options: TcpListenerOptions, onConnection: (connection: Connection) => void) {
    if (options.tls !== undefined && options.path !== undefined) {
      throw new TransportError("address-invalid", "TLS on a Unix socket is not offered: leave out `tls` or `path`.");
    }
    this.#options = options;
    this.#onConnection = onConnection;
    this.#settings = socketSettings(options);
    this.#server = new SocketServer(options, {
      path: options.path,
      alpnProtocols: ["mqtt"],
      proxies: new AddressList([]),
      upgrades: false,
      onSocket: (socket, source) => this.#deliver(socket, source),
    });
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  async open(): Promise<void> {
    await this.#server.open();
    this.#addresses = [this.#server.url(this.#options.tls === undefined ? "tcp" : "tls")];
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  reloadCertificate(options: SecureContextOptions): void {
    this.#server.reloadCertificate(options);
  }

  #deliver(socket: Socket, source: string | undefined): void {
    const info = connectionInfo(socket, this.#options.path, source);
    deliverConnection(new TcpConnection(socket, info, this.#settings), this.#onConnection, this.#options.onRefused);
  }
}
