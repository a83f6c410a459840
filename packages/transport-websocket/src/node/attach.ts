import type { IncomingMessage, Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Listen } from "@tidewire/transport";
import { addressText } from "@tidewire/transport/node";
import { type UpgradeOptions, Upgrader } from "./upgrade.ts";

/**
 * Listens on an HTTP server that is there already, so that a web application and MQTT share a port. Its requests are
 * left alone, and so are upgrades of other paths as long as somebody else listens for upgrades. `close` detaches and
 * leaves the server running; limits on headers and slow requests are those of that server.
 */
export function attachWebSocket(server: Server | SecureServer, options: UpgradeOptions = {}): Listen {
  return (onConnection) => {
    const upgrader = new Upgrader(options, onConnection);
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (!upgrader.matches(request) && server.listenerCount("upgrade") > 1) {
        return;
      }
      upgrader.handle(request, socket as Socket, head);
    };
    server.on("upgrade", onUpgrade);
    return Promise.resolve({
      get addresses() {
        return addressesOf(server, upgrader.path);
      },
      close() {
        server.off("upgrade", onUpgrade);
        return Promise.resolve();
      },
    });
  };
}

/** Empty until the server listens. */
function addressesOf(server: Server | SecureServer, path: string): readonly string[] {
  const address = server.address();
  if (address === null || typeof address === "string") {
    return [];
  }
  const { address: host, port }: AddressInfo = address;
  return [`${"setSecureContext" in server ? "wss" : "ws"}://${addressText(host, port)}${path}`];
}
