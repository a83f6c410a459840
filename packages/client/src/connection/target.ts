import type { Connection, DialOptions } from "@tidewire/transport";
import { webSocket } from "#platform";
import { ClientError } from "../errors/index.ts";
import type { Target } from "../handshake/index.ts";

/** Opens a connection to where the target says that it is this time. */
export async function dialTarget(target: Target, options: DialOptions): Promise<Connection> {
  const given = typeof target === "function" ? await target(options) : target;
  return typeof given === "string" || given instanceof URL ? webSocket(checkUrl(given))(options) : given;
}

/** Throws `invalid-argument` for a URL that is not a WebSocket's. */
export function checkUrl(url: string | URL): string {
  const text = String(url);
  if (/^wss?:\/\//i.test(text)) {
    return text;
  }
  // The URL may hold credentials, so it is not repeated.
  throw new ClientError(
    "invalid-argument",
    "Only ws: and wss: URLs are connected to directly; pass a transport such as tcp({ host, port }) for mqtt:.",
  );
}

/** Where a Server Reference leads from here: the same URL on that host; undefined when only the caller could know. */
export function redirected(target: Target, serverReference: string): Target | undefined {
  if (typeof target === "function") {
    return undefined;
  }
  const url = new URL(target);
  url.port = "";
  // Several references are separated by spaces (MQTT 5.0, 4.13); the first is the server's first choice.
  url.host = serverReference.trim().split(/\s+/)[0] ?? "";
  return url;
}
