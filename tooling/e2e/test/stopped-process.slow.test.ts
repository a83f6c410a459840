import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { startServer } from "../src/tidewire.ts";

// Seen in Tidewire itself: SIGSTOP for longer than the keep-alive, and clients whose PINGREQ lay in the socket were cut.

const CLIENTS = 20;
const KEEP_ALIVE_SECONDS = 1;
const STOPPED_MS = 4000;

test("a broker that stood still reads what clients sent meanwhile before it calls anyone late", async () => {
  const server = await startServer(["--listen", "tcp://127.0.0.1:0", "--store", "memory"]);
  const clients = await Promise.all(
    Array.from({ length: CLIENTS + 1 }, (_, index) => openClient(server.ports[0] as number, index)),
  );
  const silent = clients.pop() as Socket;
  const pings = setInterval(() => {
    for (const client of clients) {
      client.write(Buffer.of(0xc0, 0));
    }
  }, 300);
  try {
    server.program.kill("SIGSTOP");
    await delay(STOPPED_MS);
    server.program.kill("SIGCONT");
    await delay(2500);
    expect(clients.filter((client) => client.closed || client.readableEnded)).toEqual([]);
    // One that sent nothing is late all the same.
    expect(silent.closed || silent.readableEnded).toBe(true);
  } finally {
    clearInterval(pings);
    for (const client of [...clients, silent]) {
      client.destroy();
    }
    server.program.kill("SIGCONT");
    await server.program.stop();
  }
});

async function openClient(port: number, index: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const id = Buffer.from(`stopped-${String(index).padStart(2, "0")}`);
  const body = Buffer.concat([
    Buffer.from("00044d5154540402", "hex"),
    Buffer.of(0, KEEP_ALIVE_SECONDS, 0, id.length),
    id,
  ]);
  socket.write(Buffer.concat([Buffer.of(0x10, body.length), body]));
  await new Promise((resolve) => socket.once("data", resolve));
  socket.resume();
  return socket;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
