import type { IncomingMessage } from "node:http";
import { isIP, type Socket } from "node:net";
import { type PeerCertificate, TLSSocket } from "node:tls";
import type { ConnectionInfo } from "@tidewire/transport";
import { type AddressList, addressText } from "@tidewire/transport/node";

/** What an upgrade request tells about its connection; `source` is what a PROXY header told of the client. */
export function requestInfo(
  request: IncomingMessage,
  socket: Socket,
  protocol: string,
  trustedProxies: AddressList,
  source: string | undefined,
): ConnectionInfo {
  const secure = socket instanceof TLSSocket;
  const base = {
    transport: secure ? "wss" : "ws",
    remoteAddress:
      forwardedFor(request, socket, trustedProxies) ?? source ?? addressText(socket.remoteAddress, socket.remotePort),
    localAddress: addressText(socket.localAddress, socket.localPort),
    secure,
    protocol: protocol || undefined,
    headers: headersOf(request),
    path: request.url ?? "",
  };
  const clientCertificateName = secure && socket.authorized ? verifiedName(socket) : undefined;
  return typeof clientCertificateName === "string" ? { ...base, clientCertificateName } : base;
}

/** There is no certificate once the socket is gone. */
function verifiedName(socket: TLSSocket): unknown {
  return (socket.getPeerCertificate() as PeerCertificate | null)?.subject?.CN;
}

/**
 * The client as the nearest trusted proxy saw it: each proxy appends the address that it got the request from, so the
 * last one that is not itself a trusted proxy counts. What stands before it anybody can have written, and what is no
 * address is not believed at all.
 */
export function forwardedFor(
  request: IncomingMessage,
  socket: Socket,
  trustedProxies: AddressList,
): string | undefined {
  const header = request.headers["x-forwarded-for"];
  if (header === undefined || !trustedProxies.has(socket.remoteAddress)) {
    return undefined;
  }
  const addresses = String(header).split(",").map(addressIn);
  const client = addresses.findLast((address) => !trustedProxies.has(address)) ?? addresses[0];
  return client === undefined ? undefined : addressText(client, undefined);
}

/** Some proxies write the port, too: `192.0.2.7:50213`, `[2001:db8::7]:50213`. */
function addressIn(entry: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]+)\]|([\d.]+))(?::\d+)?$/.exec(entry.trim()) ?? [];
  const address = bracketed ?? plain ?? entry.trim();
  return isIP(address) === 0 ? undefined : address;
}

function headersOf(request: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) {
      headers.set(name, typeof value === "string" ? value : value.join(", "));
    }
  }
  return headers;
}
