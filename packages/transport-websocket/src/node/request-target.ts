import type { IncomingMessage } from "node:http";

/** Whom and what a request is for. */
export interface RequestTarget {
  readonly authority: Authority;
  /** Without the query, and without slashes at its end. */
  readonly path: string;
}

/** A host in lower case (IPv6 in brackets) and a port, "" where none is named. */
export interface Authority {
  readonly host: string;
  readonly port: string;
}

/**
 * Reads the request target in its two forms, a path or a whole URL, which then overrides `Host` (RFC 9112, 3.2.2). A
 * request must have one `Host` in any case (RFC 9112, 3.2).
 *
 * @returns undefined for what is neither
 */
export function requestTarget(request: IncomingMessage): RequestTarget | undefined {
  const hosts = request.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "host").length;
  const host = hosts === 1 ? parseAuthority(request.headers.host ?? "") : undefined;
  const url = request.url ?? "";
  if (host === undefined || url.startsWith("/")) {
    return host && { authority: host, path: pathOf(url) };
  }
  const [, named = "", rest = ""] = /^(?:http|ws)s?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  const authority = parseAuthority(named);
  return authority && { authority, path: pathOf(rest) };
}

/** `/mqtt/` is `/mqtt`. */
export function pathOf(url: string): string {
  const path = url.split("?", 1)[0]!;
  let end = path.length;
  while (end > 1 && path[end - 1] === "/") {
    end -= 1;
  }
  return path.slice(0, end) || "/";
}

export function parseAuthority(text: string): Authority | undefined {
  const [, host, port = ""] = /^(\[[\da-f:.]+\]|[\w.~-]+)(?::(\d{0,5}))?$/i.exec(text) ?? [];
  return host === undefined ? undefined : { host: host.toLowerCase(), port };
}
