import type { Connection, DialOptions } from "@tidewire/transport";
import { webSocket } from "#platform";
import { checkUrl, type Target } from "../handshake/index.ts";

/** Opens a connection to where the target says that it is this time. */
export async function dialTarget(target: Target, options: DialOptions): Promise<Connection> {
  const given = typeof target === "function" ? await target(options) : target;
  return typeof given === "string" || given instanceof URL ? webSocket(checkUrl(given))(options) : given;
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
