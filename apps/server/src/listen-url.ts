import { UsageError } from "./errors.ts";

/** Where to listen, as `--listen` says it. */
export interface ListenTarget {
  readonly scheme: Scheme;
  /** Without the brackets of an IPv6 address. */
  readonly host: string;
  /** 0 picks a free port. */
  readonly port: number;
  /** Of a WebSocket request; "/" for the others. */
  readonly path: string;
  /** As it was given. */
  readonly text: string;
}

export type Scheme = "tcp" | "tls" | "ws" | "wss";

/** Reads the value of one `--listen`. */
export function parseListenUrl(text: string): ListenTarget {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) {
    throw new UsageError(`--listen "${text}" is not a URL`, EXAMPLE);
  }
  const scheme = url.protocol.slice(0, -1);
  if (!isScheme(scheme)) {
    // "localhost:1883" parses as a URL too, with the scheme "localhost".
    throw new UsageError(`--listen "${text}" does not start with tcp://, tls://, ws:// or wss://`, EXAMPLE);
  }
  if (url.hostname === "") {
    throw new UsageError(`--listen "${text}" names no address`, EXAMPLE);
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError("--listen holds a user name or password", "leave them out: clients send them in CONNECT");
  }
  if (url.search !== "" || url.hash !== "") {
    throw new UsageError(`--listen "${text}" has a query or fragment`, "end it after the path");
  }
  const path = url.pathname === "" ? "/" : url.pathname;
  if (path !== "/" && !isWebSocket(scheme)) {
    throw new UsageError(`--listen "${text}" has a path, which ${scheme} does not know`, "leave the path out");
  }
  return {
    scheme,
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? DEFAULT_PORTS[scheme] : Number(url.port),
    path,
    text,
  };
}

/** True where TLS certificates are needed. */
export function isSecure(scheme: Scheme): boolean {
  return scheme === "tls" || scheme === "wss";
}

/** True where MQTT travels in WebSocket messages. */
export function isWebSocket(scheme: Scheme): boolean {
  return scheme === "ws" || scheme === "wss";
}

// The ports that IANA and RFC 6455 give them.
const DEFAULT_PORTS: Readonly<Record<Scheme, number>> = { tcp: 1883, tls: 8883, ws: 80, wss: 443 };

const EXAMPLE = "write it like tcp://127.0.0.1:1883 or ws://127.0.0.1:8080/mqtt";

function isScheme(text: string): text is Scheme {
  return Object.hasOwn(DEFAULT_PORTS, text);
}
