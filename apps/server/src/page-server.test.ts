import { once } from "node:events";
import type { Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { createPageServer } from "./page-server.ts";

// The live page's HTTP server kept half-open requests for ever (attack 48).

const LARGE = "x".repeat(20_000_000);

let server: Server;
let sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets) {
    socket.destroy();
  }
  sockets = [];
  server.close();
  server.closeAllConnections();
});

async function start(limits: { readonly connections: number; readonly deadlineMs: number }): Promise<void> {
  server = createPageServer("/mqtt", (_request, response) => response.end(LARGE), limits);
  server.on("upgrade", (request, socket) => {
    if (request.url !== "/mqtt") {
      return;
    }
    sockets.push(socket as Socket);
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
}

async function open(text: string): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  sockets.push(socket);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(text);
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

const UPGRADE = "GET /mqtt HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

it.each([
  ["says nothing", ""],
  ["sends half a request", "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "],
  ["sends half a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nx"],
  ["upgrades to nothing", "GET /other HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"],
  ["does not read its answer", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"],
])("ends a connection that %s", async (_title, text) => {
  await start({ connections: 10, deadlineMs: 100 });
  const socket = await open("");
  const end = closed(socket);
  socket.write(text);
  // Paused: what is not read stays with the server. The end is seen all the same once it is read.
  setTimeout(() => socket.resume(), 300);
  await end;
  await expect.poll(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))).toBe(0);
});

it("leaves WebSockets alone, and closes the oldest of the others when there are too many", async () => {
  await start({ connections: 2, deadlineMs: 60_000 });
  const websocket = await open(UPGRADE);
  await once(websocket, "data");
  const [first, second] = [await open("GET"), await open("GET")];
  const end = closed(first.resume());
  const third = await open("GET");
  await end;
  expect([websocket, second, third].map(({ closed: gone }) => gone)).toEqual([false, false, false]);
});
