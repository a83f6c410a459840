import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { constants, deflateRawSync } from "node:zlib";
import type { Connection } from "@tidewire/transport";
import { type WebSocketListenerOptions, webSocket, webSocketListener } from "@tidewire/transport-websocket/node";
import { afterEach, expect, it } from "vitest";
import { certificate } from "../../transport-tcp/test/certificates.ts";
import { frame, Observed, rawSocket, responseOf, until, upgradeRequest } from "./support.ts";

// What peers did to WebSocket servers in the field. Each attack is made by several sockets at once; a connection that
// behaves is there all the time and has to go on working, and memory must stay bounded.

const attackers = 10;
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const part of opened.splice(0)) {
    await part.close();
  }
});

interface Victim {
  readonly port: number;
  readonly accepted: Connection[];
  /** Sends through the connection that behaves, and waits for the echo. */
  ping(): Promise<void>;
}

async function victim(options: WebSocketListenerOptions): Promise<Victim> {
  const accepted: Connection[] = [];
  const listener = await webSocketListener({ host: "127.0.0.1", closeTimeoutMs: 200, ...options })((connection) => {
    accepted.push(connection);
    connection.start({ onData: (chunk) => connection.send([chunk]), onDrain() {}, onClose() {} });
  });
  const url = listener.addresses[0] ?? "";
  const ca = options.tls?.cert as string | undefined;
  const good = new Observed(await webSocket(url, ca === undefined ? {} : { tls: { ca } })());
  opened.push(listener, { close: () => good.connection.abort() });
  const ping = async (): Promise<void> => {
    const before = good.bytes.length;
    good.connection.send([Uint8Array.of(1)]);
    await until(() => good.bytes.length === before + 1);
    expect(good.closeInfo).toBeUndefined();
  };
  return { port: Number(new URL(url).port), accepted, ping };
}

async function upgraded(port: number, headers: Readonly<Record<string, string>> = {}): Promise<Socket> {
  const socket = await rawSocket(port);
  socket.write(upgradeRequest("/mqtt", headers));
  await new Promise((resolve) => {
    socket.once("data", resolve);
  });
  return socket;
}

/** Bytes of memory that the process took more while `attack` ran. */
async function memoryOf(attack: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage();
  await attack();
  const after = process.memoryUsage();
  return after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
}

/** Writes until the other side ends the connection, as fast as it takes the bytes. */
function flood(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const pump = (): void => {
      while (!socket.destroyed && socket.writable && socket.write(bytes)) {}
    };
    socket.on("drain", pump).on("close", () => resolve());
    socket.resume();
    pump();
  });
}

it("closes a flood of fragments of one byte", async () => {
  const { port, ping } = await victim({});
  const fragments = Buffer.concat([
    frame(2, Uint8Array.of(0), { final: false }),
    ...Array.from({ length: 200 }, () => frame(0, Uint8Array.of(0), { final: false })),
  ]);
  const taken = await memoryOf(async () => {
    const sockets = await Promise.all(Array.from({ length: attackers }, () => upgraded(port)));
    const closed = sockets.map((socket) => responseOf(socket));
    for (const socket of sockets) {
      socket.write(fragments);
    }
    // The code: policy violation.
    for (const text of await Promise.all(closed)) {
      expect(text).toContain("\x88\x02\x03\xf0");
    }
  });
  expect(taken).toBeLessThan(20 * 1_048_576);
  await ping();
});

it("closes a frame that is announced too long before its first byte", async () => {
  const { port, ping } = await victim({ maxPayload: 100_000 });
  const socket = await upgraded(port);
  const closed = responseOf(socket);
  socket.write(frame(2, Buffer.alloc(0), { length: 100_001 }));
  expect(await closed).toContain("\x88\x02\x03\xf1");
  await ping();
});

it("holds no more than a message of frames that never end", async () => {
  const maxPayload = 100_000;
  const { port, accepted, ping } = await victim({ maxPayload });
  const taken = await memoryOf(async () => {
    const sockets = await Promise.all(Array.from({ length: attackers }, () => upgraded(port)));
    for (const socket of sockets) {
      socket.write(frame(2, Buffer.alloc(maxPayload - 1), { length: maxPayload }));
    }
    await ping();
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  expect(taken).toBeLessThan(attackers * maxPayload + 20 * 1_048_576);
  await until(() => accepted.length === attackers + 1);
});

it("ends who pings without reading the answers", async () => {
  const { port, ping } = await victim({});
  const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame(9, Buffer.alloc(125))));
  const taken = await memoryOf(async () => {
    const socket = await upgraded(port);
    socket.pause();
    await new Promise<void>((resolve) => {
      const pump = (): void => {
        while (!socket.destroyed && socket.write(pings)) {}
      };
      // While paused, the end shows as a write that fails.
      socket.on("drain", pump).on("close", resolve);
      pump();
    });
    await ping();
  });
  expect(taken).toBeLessThan(40 * 1_048_576);
});

it("ends who sends a deflate bomb, where compression is on", async () => {
  const maxPayload = 100_000;
  const { port, ping } = await victim({ perMessageDeflate: true, maxPayload });
  const bomb = deflateRawSync(Buffer.alloc(50_000_000), { finishFlush: constants.Z_SYNC_FLUSH });
  expect(bomb.length).toBeLessThan(maxPayload);
  const taken = await memoryOf(async () => {
    const socket = await upgraded(port, { "Sec-WebSocket-Extensions": "permessage-deflate" });
    const closed = responseOf(socket);
    socket.write(frame(2 | 0x40, bomb.subarray(0, -4)));
    expect(await closed).toContain("\x88\x02\x03\xf1");
    await ping();
  });
  expect(taken).toBeLessThan(20 * 1_048_576);
});

it("takes no compression, where it is off", async () => {
  const { port } = await victim({});
  const socket = await upgraded(port, { "Sec-WebSocket-Extensions": "permessage-deflate" });
  const closed = responseOf(socket);
  socket.write(frame(2 | 0x40, Buffer.from("abc")));
  expect(await closed).toContain("\x88\x02\x03\xea");
});

it("ends who breaks the framing", async () => {
  const { port, ping } = await victim({});
  const unmasked = Buffer.from([0x82, 1, 7]);
  const reserved = frame(3, Buffer.alloc(1));
  const longPing = frame(9, Buffer.alloc(126));
  for (const bytes of [unmasked, reserved, longPing]) {
    const socket = await upgraded(port);
    const closed = responseOf(socket);
    socket.write(bytes);
    expect(await closed).toContain("\x88\x02\x03\xea");
  }
  await ping();
});

it("closes what it refused even if the peer goes on sending", async () => {
  const { port, ping } = await victim({ maxPayload: 1_000 });
  const socket = await upgraded(port);
  await flood(socket, frame(2, Buffer.alloc(65_536)));
  await ping();
});

it.each([
  ["nothing", () => ""],
  ["half a request line", () => "GET /mq"],
  ["headers without an end", () => upgradeRequest("/mqtt").slice(0, -2)],
  ["a request that is no upgrade, and keeps the connection", () => "GET / HTTP/1.1\r\nHost: x\r\n"],
])("ends who sends %s before the upgrade", async (_what, text) => {
  const { port, accepted, ping } = await victim({ handshakeTimeoutMs: 150 });
  const socket = await rawSocket(port);
  socket.write(text());
  await responseOf(socket);
  expect(accepted.length).toBe(1);
  await ping();
});

it("ends who sends headers one byte at a time", async () => {
  const { port, accepted, ping } = await victim({ handshakeTimeoutMs: 300 });
  const socket = await rawSocket(port);
  socket.write("GET /mqtt HTTP/1.1\r\n");
  const drip = setInterval(() => socket.write("X"), 20);
  await responseOf(socket);
  clearInterval(drip);
  expect(accepted.length).toBe(1);
  await ping();
});

it("ends who is slow before and after the TLS handshake", async () => {
  const server = await certificate("server");
  const { port, accepted, ping } = await victim({ handshakeTimeoutMs: 300, tls: server });
  const silent = await rawSocket(port);
  const secured = connectTls({ port, host: "127.0.0.1", ca: server.cert, servername: "localhost" });
  secured.on("error", () => {});
  await Promise.all([responseOf(silent), responseOf(secured)]);
  expect(accepted.length).toBe(1);
  await ping();
});

// Attack 49.
it("lets a newcomer in when half-open upgrades fill all places", async () => {
  const { port, ping } = await victim({ handshakeTimeoutMs: 60_000, pendingHandshakes: 5 });
  const slow: Socket[] = [];
  for (let i = 0; i < 5; i += 1) {
    slow.push(await rawSocket(port));
  }
  const evicted = responseOf(slow[0] as Socket);
  const late = await upgraded(port);
  expect(late.destroyed).toBe(false);
  await evicted;
  await ping();
  for (const socket of [...slow, late]) {
    socket.destroy();
  }
});
