import { connect, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { type Connection, type Dial, type DialOptions, TransportError } from "@tidewire/transport";
import { afterReading, type SocketSettings, socketSettings, transportError } from "@tidewire/transport/node";
import { TcpConnection } from "./connection.ts";
import { connectionInfo } from "./connection-info.ts";
import { limits } from "./limits.ts";

export interface TcpOptions {
  /** Host name, IPv4 or IPv6 address. Default `localhost`. */
  readonly host?: string;
  /** Default 1883, with TLS 8883. */
  readonly port?: number;
  /** A Unix socket instead of host and port. */
  readonly path?: string;
  /**
   * TLS, with Node's options: `ca` to trust another authority, `cert` and `key` for a client certificate, `servername`
   * (by default the host), `ALPNProtocols` (by default `mqtt`). `{}` is TLS with the authorities of the system.
   */
  readonly tls?: ConnectionOptions;
  /** Limit for name lookup, connecting and TLS together. */
  readonly connectTimeoutMs?: number;
  /** `send` returns false from here. */
  readonly highWaterMark?: number;
  /** `onDrain` comes at this level, at most half the high mark. */
  readonly lowWaterMark?: number;
  /** How long `close` waits for the peer. */
  readonly closeTimeoutMs?: number;
}

/** Dials over TCP, TLS (with `tls`) or a Unix socket (with `path`). */
export function tcp(options: TcpOptions = {}): Dial {
  const settings = socketSettings(options);
  return (dialOptions) => new Promise((resolve, reject) => open(options, settings, dialOptions, resolve, reject));
}

function open(
  options: TcpOptions,
  settings: SocketSettings,
  { signal }: DialOptions = {},
  resolve: (connection: Connection) => void,
  reject: (error: TransportError) => void,
): void {
  if (signal?.aborted) {
    reject(abortedError(signal.reason));
    return;
  }
  const socket = connectSocket(options);
  const onFailure = (error: Error): void => {
    settle();
    reject(transportError(error, options.tls === undefined ? "unreachable" : "tls-failed"));
  };
  const onEarlyClose = (): void => onFailure(new TransportError("reset", "Closed before the connection was ready."));
  const onAbort = (): void => {
    settle();
    socket.on("error", ignore).destroy();
    reject(abortedError(signal?.reason));
  };
  const onTimeout = (): void => {
    if (settled) {
      return;
    }
    socket.on("error", ignore).destroy();
    onFailure(new TransportError("timeout", "Connecting took too long."));
  };
  const onReady = (): void => {
    settle();
    resolve(new TcpConnection(socket, connectionInfo(socket, options.path), settings));
  };
  const readyEvent = options.tls === undefined ? "connect" : "secureConnect";
  let settled = false;
  const settle = (): void => {
    settled = true;
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    socket.off(readyEvent, onReady).off("error", onFailure).off("close", onEarlyClose);
  };
  const timeLimitMs = options.connectTimeoutMs ?? limits.connectTimeoutMs;
  const timer = setTimeout(() => afterReading(onTimeout), timeLimitMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  socket.on(readyEvent, onReady).on("error", onFailure).on("close", onEarlyClose);
}

function connectSocket(options: TcpOptions): Socket {
  const { host = "localhost", path, tls } = options;
  const port = options.port ?? (tls === undefined ? 1883 : 8883);
  const target = path === undefined ? { host, port, noDelay: true } : { path };
  if (tls === undefined) {
    return connect(target);
  }
  const servername = isIP(host) === 0 ? host : "";
  return connectTls({ ...target, servername, ALPNProtocols: ["mqtt"], ...tls });
}

function abortedError(reason: unknown): TransportError {
  return new TransportError("aborted", "The dial was cancelled.", { cause: reason });
}

function ignore(): void {}
