// Aedes, as its documentation sets it up: TCP, and WebSocket over `ws`.

import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { Aedes } from "aedes";
import { createWebSocketStream, WebSocketServer } from "ws";

const [tcp, ws] = process.argv.slice(2).map(Number);
const broker = await createBroker();
createServer(broker.handle).listen(tcp, "127.0.0.1");
const http = createHttpServer().listen(ws, "127.0.0.1");
new WebSocketServer({ server: http }).on("connection", (socket, request) => {
  broker.handle(createWebSocketStream(socket), request);
});

function createBroker() {
  return typeof Aedes.createBroker === "function" ? Aedes.createBroker() : new Aedes();
}
