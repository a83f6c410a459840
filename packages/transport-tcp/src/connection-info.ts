import type { Socket } from "node:net";
import { type PeerCertificate, TLSSocket } from "node:tls";
import type { ConnectionInfo } from "@tidewire/transport";
import { addressText } from "@tidewire/transport/node";

/** What is known about a socket that is connected; `remoteAddress` overrides the address of the socket's peer. */
export function connectionInfo(socket: Socket, path: string | undefined, remoteAddress?: string): ConnectionInfo {
  const tls = socket instanceof TLSSocket ? socket : undefined;
  const base = {
    transport: tls !== undefined ? "tls" : path !== undefined ? "unix" : "tcp",
    remoteAddress: remoteAddress ?? addressText(socket.remoteAddress, socket.remotePort) ?? path,
    localAddress: addressText(socket.localAddress, socket.localPort) ?? path,
    secure: tls !== undefined,
    protocol: tls?.alpnProtocol || undefined,
  };
  const clientCertificateName = tls === undefined ? undefined : verifiedName(tls);
  return clientCertificateName === undefined ? base : { ...base, clientCertificateName };
}

function verifiedName(socket: TLSSocket): string | undefined {
  if (!socket.authorized) {
    return undefined;
  }
  // There is no certificate once the socket is gone. A subject may have several common names; none of them is the name then.
  const name: string | string[] | undefined = (socket.getPeerCertificate() as PeerCertificate | null)?.subject?.CN;
  return typeof name === "string" ? name : undefined;
}
