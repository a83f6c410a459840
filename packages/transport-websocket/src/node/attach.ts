import type { IncomingMessage, Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Listen } from "@tidewire/transport";
import { addressText, type HandshakeOptions, Handshakes } from "@tidewire/transport/node";
import { type UpgradeOptions, Upgrader } from "./upgrade.ts";

/** Options for a WebSocket listener on a server that is there already. */
export interface AttachOptions extends UpgradeOptions, HandshakeOptions {}

/**
 * Listens on an HTTP server that is there already, so that a web application and MQTT share a port. Its requests are
 * left alone, and so are upgrades of other paths as long as somebody else listens for upgrades. Connections of that
 * server that have not sent the headers of a request are limited in number and time as those of a listener's own port:
 * otherwise whoever opens them would take them from both. `close` detaches and leaves the server running.
 */
export function attachWebSocket(server: Server | SecureServer, options: AttachOptions = {}): Listen {
  return async (onConnection) => {
    const handshakes = new Handshakes(options);
    const upgrader = new Upgrader(options, handshakes, onConnection);
    const onSocket = (socket: Socket): void => {
      handshakes.begin(socket, upgrader.trustedProxies.has(socket.remoteAddress));
    };
    const onRequest = (request: IncomingMessage): void => handshakes.end(request.socket);
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (!upgrader.matches(request) && server.listenerCount("upgrade") > 1) {
        handshakes.end(socket as Socket);
        return;
      }
      upgrader.handle(request, socket as Socket, head);
    };
    server.on("connection", onSocket).on("request", onRequest).on("upgrade", onUpgrade);
    return {
      get addresses() {
        return addressesOf(server, upgrader.paths);
      },
      close() {
        server.off("connection", onSocket).off("request", onRequest).off("upgrade", onUpgrade);
        handshakes.release();
        return Promise.resolve();
      },
    };
  };
}

/** Empty until the server listens. */
function addressesOf(server: Server | SecureServer, paths: readonly string[]): readonly string[] {
  const address = server.address();
  if (address === null || typeof address === "string") {
    return [];
  }
  const { address: host, port }: AddressInfo = address;
  const origin = `${"setSecureContext" in server ? "wss" : "ws"}://${addressText(host, port)}`;
  return paths.map((path) => `${origin}${path}`);
}
