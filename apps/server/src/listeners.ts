import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { createSecureContext } from "node:tls";
import { type Listen, TransportError } from "@tidewire/transport";
import { type TcpListener, tcpListener } from "@tidewire/transport-tcp";
import { type WebSocketListener, webSocketListener } from "@tidewire/transport-websocket/node";
import type { TlsFiles } from "./args.ts";
import { describeError, errorCode, UsageError } from "./errors.ts";
import { isSecure, isWebSocket, type ListenTarget } from "./listen-url.ts";

export interface ListenerSettings {
  readonly tls: TlsCredentials | undefined;
  /** Empty: every page may connect. */
  readonly origins: readonly string[];
  /** Told of peers that did not get as far as a connection. */
  readonly onRefused: (error: TransportError, remoteAddress: string | undefined) => void;
}

export interface TlsCredentials {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** A listener whose certificate can be exchanged, where it has one. */
export type ServerListener = TcpListener | WebSocketListener;

/** The transport that `--listen` names. */
export function listenerFor(target: ListenTarget, settings: ListenerSettings): Listen<ServerListener> {
  const { host, port, path } = target;
  const { onRefused } = settings;
  const common = { host, port, onRefused, ...(isSecure(target.scheme) && settings.tls ? { tls: settings.tls } : {}) };
  if (!isWebSocket(target.scheme)) {
    return tcpListener(common);
  }
  const origins = settings.origins.length > 0 ? { origins: settings.origins } : {};
  return webSocketListener({ ...common, ...origins, path });
}

/** Reads certificate and key, and checks that they fit. */
export function readTlsCredentials(files: TlsFiles): TlsCredentials {
  const cert = readPem("--tls-cert", files.certFile);
  const key = readPem("--tls-key", files.keyFile);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new UsageError(
      `--tls-cert ${files.certFile} and --tls-key ${files.keyFile} are not usable (${describeError(error)})`,
      "give a certificate and its own key, both in PEM and without a passphrase",
      { cause: error },
    );
  }
  return { cert, key };
}

/** The error for a person when listening failed; `flag` is the option that chooses another port. */
export function listenFailure(where: string, flag: string, error: unknown): UsageError {
  const [problem, remedy] = explain(error, flag);
  return new UsageError(`cannot listen on ${where}: ${problem}`, remedy, { cause: error });
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function explain(error: unknown, flag: string): [problem: string, remedy: string] {
  const code = error instanceof TransportError ? error.code : errorCode(error);
  switch (code) {
    case "address-in-use":
    case "EADDRINUSE":
      return [
        "the port is in use",
        `stop the program that has it, or choose another with ${flag} (0 picks a free one)`,
      ];
    case "not-permitted":
    case "EACCES":
      return ["the system does not allow it", `choose a port above 1023 with ${flag}, or run with the right to use it`];
    case "address-invalid":
    case "unreachable":
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return ["this machine has no such address", "use one of its own, such as 127.0.0.1 or 0.0.0.0"];
    default:
      return [describeError(error), `choose another address with ${flag}`];
  }
}

function readPem(flag: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${flag} ${file} cannot be read (${errorCode(error)})`, "check the path and its permissions", {
      cause: error,
    });
  }
}
