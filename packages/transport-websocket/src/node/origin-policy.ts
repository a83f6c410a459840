import type { IncomingMessage } from "node:http";
import { isIP, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { TransportError } from "@tidewire/transport";
import type { AddressList } from "@tidewire/transport/node";
import type { Refusal } from "./refusal.ts";
import { type Authority, parseAuthority } from "./request-target.ts";

/**
 * Which web pages may connect. Browsers let every page open a WebSocket to every server, with the cookies and from the
 * network of whoever looks at the page; all that a server has is the Origin that they send along.
 *
 * Without a list, pages of the server itself may connect. That alone would not keep out a page whose name the attacker
 * makes resolve to the address of this machine (DNS rebinding): on loopback, where most has to be protected by least,
 * the Host must be one that can only mean this machine, or one that is named here. Clients that are no browsers send no
 * Origin and are not limited.
 */
export class OriginPolicy {
  /** Undefined: pages of the same origin. */
  readonly #origins: ReadonlySet<string> | undefined;
  readonly #open: boolean;
  readonly #hosts: ReadonlySet<string>;
  readonly #trustedProxies: AddressList;

  /** @throws TransportError `address-invalid` for what is no origin or host */
  constructor(origins: "*" | readonly string[] | undefined, hosts: readonly string[], trustedProxies: AddressList) {
    this.#open = origins === "*" || origins?.includes("*") === true;
    this.#origins = origins === undefined || origins === "*" ? undefined : new Set(origins.map(configuredOrigin));
    this.#hosts = new Set(hosts.map(configuredHost));
    this.#trustedProxies = trustedProxies;
  }

  refusal(request: IncomingMessage, socket: Socket, authority: Authority): Refusal | undefined {
    if (this.#open) {
      return undefined;
    }
    const { origin } = request.headers;
    if (this.#origins !== undefined) {
      return origin === undefined || this.#origins.has(normalOrigin(origin)) ? undefined : ORIGIN_REFUSED;
    }
    const proxy = this.#trustedProxies.has(socket.remoteAddress);
    const forwarded = proxy ? firstOf(request.headers["x-forwarded-host"]) : undefined;
    const asked = (forwarded === undefined ? undefined : parseAuthority(forwarded)) ?? authority;
    if (!proxy && isLoopback(socket.localAddress) && !this.#meansLoopback(asked.host)) {
      return HOST_REFUSED;
    }
    const scheme =
      (proxy && firstOf(request.headers["x-forwarded-proto"])) || (socket instanceof TLSSocket ? "https" : "http");
    const own = `${scheme.toLowerCase().replace(/^ws/, "http")}://${asked.host}${asked.port && `:${asked.port}`}`;
    return origin === undefined || normalOrigin(origin) === normalOrigin(own) ? undefined : OTHER_SITE;
  }

  #meansLoopback(host: string): boolean {
    return host === "localhost" || host === "[::1]" || isLoopback(host) || this.#hosts.has(host);
  }
}

/** As it compares: without the default port, in lower case. What is no origin stays as it is, and equals only itself. */
function normalOrigin(text: string): string {
  const [, scheme, authority] = /^([a-z][a-z\d+.-]*):\/\/([^/?#@\s]+)$/i.exec(text) ?? [];
  const parsed = authority === undefined ? undefined : parseAuthority(authority);
  if (scheme === undefined || parsed === undefined) {
    return text;
  }
  const name = scheme.toLowerCase();
  const port = parsed.port === DEFAULT_PORTS[name] ? "" : parsed.port;
  return `${name}://${parsed.host}${port && `:${port}`}`;
}

function configuredOrigin(text: string): string {
  const origin = text.endsWith("/") ? text.slice(0, -1) : text;
  if (origin !== "*" && origin !== "null" && !/^[a-z][a-z\d+.-]*:\/\/[^/?#@\s]+$/i.test(origin)) {
    throw new TransportError(
      "address-invalid",
      `${JSON.stringify(text)} is no origin. Write scheme, host and port alone, such as https://app.example, or * for all.`,
    );
  }
  return normalOrigin(origin);
}

function configuredHost(text: string): string {
  const host = parseAuthority(text);
  if (host === undefined || host.port !== "") {
    throw new TransportError("address-invalid", `${JSON.stringify(text)} is no host. Write the name without a port.`);
  }
  return host.host;
}

function isLoopback(address: string | undefined): boolean {
  const plain = address?.replace(/^::ffff:/i, "") ?? "";
  return plain === "::1" || (isIP(plain) === 4 && plain.startsWith("127."));
}

/** A list of headers from several proxies: the first value is the one for the client. */
function firstOf(header: string | readonly string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header).split(",", 1)[0]!.trim();
}

const DEFAULT_PORTS: { readonly [scheme: string]: string } = { http: "80", https: "443", ws: "80", wss: "443" };

const ORIGIN_REFUSED: Refusal = {
  status: 403,
  code: "origin-refused",
  reason: "The page's origin is not one of those that may connect.",
};

const OTHER_SITE: Refusal = {
  status: 403,
  code: "origin-refused",
  reason:
    "The page is from another site than this server. Name its origin in `origins`, or the proxy between in `trustedProxies`.",
};

const HOST_REFUSED: Refusal = {
  status: 403,
  code: "host-refused",
  reason:
    "The Host does not mean this machine. Name it in `hosts`, the proxy between in `trustedProxies`, or the pages in `origins`.",
};
