import type { Server } from "node:http";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server as SocketServer } from "node:net";
import { WebSocketServer } from "ws";
import type { RawListener } from "../client/index.ts";
import type { RawConnection } from "../connection.ts";
import { rawSocket, rawWebSocket } from "./dial.ts";

/** A scripted server on a free loopback port; its address is `mqtt://127.0.0.1:PORT`. */
export async function listenTcp(onConnection: (connection: RawConnection) => void): Promise<RawListener> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    onConnection(rawSocket(socket));
  });
  return { address: `mqtt://127.0.0.1:${await bind(server)}`, close: () => void server.close() };
}

/** As `listenTcp`, over WebSocket; agrees on the subprotocol `mqtt` only. */
export async function listenWebSocket(onConnection: (connection: RawConnection) => void): Promise<RawListener> {
  const http = createHttpServer();
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has("mqtt") ? "mqtt" : false),
  });
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    onConnection(rawWebSocket(socket));
  });
  const port = await bind(http);
  return {
    address: `ws://127.0.0.1:${port}/mqtt`,
    close: () => {
      server.close();
      http.close();
    },
  };
}

async function bind(server: SocketServer | Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as AddressInfo).port;
}
