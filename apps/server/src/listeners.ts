import { isIP } from "node:net";
import { type Listen, TransportError } from "@tidewire/transport";
import { type TcpListener, tcpListener } from "@tidewire/transport-tcp";
import { type WebSocketListener, webSocketListener } from "@tidewire/transport-websocket/node";
import type { ServeOptions } from "./args.ts";
import { describeError, errorCode, UsageError } from "./errors.ts";
import { isSecure, isWebSocket, type ListenTarget } from "./listen-url.ts";
import type { TlsCredentials } from "./tls-files.ts";

export interface ListenerSettings
  extends Pick<ServeOptions, "hosts" | "origins" | "trustedProxies" | "proxyProtocol" | "wsPingMs"> {
  readonly tls: TlsCredentials | undefined;
  /** Told of peers that did not get as far as a connection. */
  readonly onRefused: (error: TransportError, remoteAddress: string | undefined) => void;
}

/** A listener whose certificate can be exchanged, where it has one. */
export type ServerListener = TcpListener | WebSocketListener;

/** One listener: a `--listen`, or several that differ in their path alone. */
export interface ListenGroup {
  readonly target: ListenTarget;
  readonly paths: readonly string[];
}

/** The listeners that are needed: WebSockets of one address and port share one. */
export function listenGroups(targets: readonly ListenTarget[]): ListenGroup[] {
  const groups = new Map<string, { target: ListenTarget; paths: string[] }>();
  for (const [index, target] of targets.entries()) {
    const { scheme, host, port, path } = target;
    // Each port 0 is a port of its own, and two TCP listeners on one port are a mistake.
    const key = isWebSocket(scheme) && port !== 0 ? `${scheme} ${host} ${port}` : String(index);
    const group = groups.get(key);
    if (group === undefined || group.paths.includes(path)) {
      groups.set(group === undefined ? key : String(index), { target, paths: [path] });
    } else {
      group.paths.push(path);
    }
  }
  return [...groups.values()];
}

/** The transport that `--listen` names. */
export function listenerFor({ target, paths }: ListenGroup, settings: ListenerSettings): Listen<ServerListener> {
  const { host, port } = target;
  const { onRefused, trustedProxies } = settings;
  const common = { host, port, onRefused, ...(isSecure(target.scheme) && settings.tls ? { tls: settings.tls } : {}) };
  if (!isWebSocket(target.scheme)) {
    return tcpListener(settings.proxyProtocol ? { ...common, proxyProtocol: { trusted: trustedProxies } } : common);
  }
  const origins = settings.origins.length > 0 ? { origins: settings.origins } : {};
  const { hosts, wsPingMs } = settings;
  return webSocketListener({ ...common, ...origins, hosts, path: paths, trustedProxies, pingIntervalMs: wsPingMs });
}

/** The error for a person when listening failed; `flag` is the option that chooses another port. */
export function listenFailure(where: string, flag: string, error: unknown): UsageError {
  const [problem, remedy] = explain(error, flag);
  return new UsageError(`cannot listen on ${where}: ${problem}`, remedy, { cause: error });
}

/**
 * The error when the port of `target` is in use by another `--listen` of the same command: there is no other program to
 * stop. Undefined when it is not.
 */
export function listenConflict(target: ListenTarget, others: readonly ListenTarget[]): UsageError | undefined {
  const { host, port, text } = target;
  const rival = others.find(
    (other) => port !== 0 && other.port === port && (other.host === host || takes(other, target)),
  );
  if (rival === undefined) {
    return undefined;
  }
  if (rival.host === host) {
    return new UsageError(
      `--listen ${text} and --listen ${rival.text} are for one address and port`,
      "change one port",
    );
  }
  const dual = [host, rival.host].includes("::") && [host, rival.host].some((one) => isIP(one) === 4);
  return new UsageError(
    `--listen ${text} and --listen ${rival.text} are for one port, and one address includes the other` +
      (dual ? ": [::] takes IPv4 connections, too (dual stack, as ipv6Only is off)" : ""),
    dual ? "leave out the IPv4 address, or change one port" : "leave one of them out, or change one port",
  );
}

/** Whether one of the two addresses is for every address, the other one included. */
function takes(one: ListenTarget, other: ListenTarget): boolean {
  const wide = ({ host }: ListenTarget, { host: narrow }: ListenTarget): boolean =>
    host === "::" || (host === "0.0.0.0" && isIP(narrow) !== 6);
  return wide(one, other) || wide(other, one);
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
