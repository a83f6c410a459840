import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { Connection, TransportError } from "@tidewire/transport";
import { type TcpListener, type TcpListenerOptions, tcp, tcpListener } from "@tidewire/transport-tcp";
import { afterEach, describe, expect, it } from "vitest";
import { certificate } from "./certificates.ts";

const authority = await certificate("Test authority", { authority: true });
const server = await certificate("server", { issuer: authority });
const opened: TcpListener[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) {
    socket.destroy();
  }
  for (const listener of opened.splice(0)) {
    await listener.close();
  }
});

interface Listening {
  readonly port: number;
  readonly listener: TcpListener;
  readonly accepted: Connection[];
  readonly refused: TransportError[];
}

async function listen(options: TcpListenerOptions): Promise<Listening> {
  const accepted: Connection[] = [];
  const refused: TransportError[] = [];
  const listener = await tcpListener({ host: "127.0.0.1", onRefused: (error) => refused.push(error), ...options })(
    (connection) => accepted.push(connection),
  );
  opened.push(listener);
  const port = Number(new URL(listener.addresses[0] ?? "").port);
  return { port, listener, accepted, refused };
}

async function rawSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  sockets.push(socket.on("error", () => {}));
  await new Promise((resolve) => socket.once("connect", resolve));
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve()).resume();
  });
}

function firstData(connection: Connection): Promise<string> {
  return new Promise((resolve) => {
    connection.start({ onData: (chunk) => resolve(Buffer.from(chunk).toString()), onDrain() {}, onClose() {} });
  });
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1_000 && !condition(); i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(condition()).toBe(true);
}

describe("addresses", () => {
  it("names the real port, with IPv6 in brackets", async () => {
    const { listener } = await listen({ host: "::1" });
    expect(listener.addresses).toEqual([expect.stringMatching(/^tcp:\/\/\[::1\]:\d+$/)]);
  });

  it("rejects with `address-in-use`", async () => {
    const { port } = await listen({});
    await expect(listen({ port })).rejects.toMatchObject({ code: "address-in-use" });
  });

  it("frees the port when closed, with connections still open", async () => {
    const { port, listener, accepted } = await listen({});
    await rawSocket(port);
    await until(() => accepted.length === 1);
    await listener.close();
    await listen({ port });
  });

  it("rejects a dial to a host that does not exist with `unreachable`", async () => {
    await expect(tcp({ host: "does-not-exist.invalid", port: 1 })()).rejects.toMatchObject({ code: "unreachable" });
  });

  it("gives up a dial that takes too long", async () => {
    // Accepts, and never answers the TLS handshake.
    const { port } = await listen({});
    const dial = tcp({ host: "127.0.0.1", port, tls: { ca: authority.cert }, connectTimeoutMs: 100 });
    await expect(dial()).rejects.toMatchObject({ code: "timeout" });
  });
});

describe("slow starts", () => {
  it("closes who sends nothing before TLS", async () => {
    const { port, accepted } = await listen({ tls: server, handshakeTimeoutMs: 100 });
    await closed(await rawSocket(port));
    expect(accepted).toEqual([]);
  });

  it("closes who sends the TLS handshake byte by byte", async () => {
    const { port, accepted } = await listen({ tls: server, handshakeTimeoutMs: 200 });
    const socket = await rawSocket(port);
    const hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    const drip = setInterval(() => socket.write(Uint8Array.of(hello.shift() ?? 0)), 20);
    await closed(socket);
    clearInterval(drip);
    expect(accepted).toEqual([]);
  });

  // Attack 49: the silent sockets of one address kept everybody else out.
  it("lets a newcomer in when silent handshakes fill all places, and ends the oldest", async () => {
    const { port, refused } = await listen({ tls: server, handshakeTimeoutMs: 60_000, pendingHandshakes: 3 });
    const slow: Socket[] = [];
    for (let i = 0; i < 3; i += 1) {
      slow.push(await rawSocket(port));
    }
    const evicted = closed(slow[0] as Socket);
    const dial = tcp({ host: "127.0.0.1", port, tls: { ca: authority.cert } });
    (await dial()).abort();
    await evicted;
    await until(() => refused.some(({ code }) => code === "crowded"));
    expect(slow.slice(1).map((socket) => socket.destroyed)).toEqual([false, false]);
  });
});

describe("PROXY protocol", () => {
  const trusted = { proxyProtocol: { trusted: ["127.0.0.0/8"] } };
  const v1 = "PROXY TCP4 192.0.2.7 192.0.2.1 51000 1883\r\n";
  const v2 = Buffer.from("0d0a0d0a000d0a515549540a2111000cc0000207c0000201c738075b", "hex");

  it.each([
    ["1", Buffer.from(v1)],
    ["2", v2],
  ])("version %s gives the client's address, and keeps what follows", async (_version, header) => {
    const { port, accepted } = await listen(trusted);
    const socket = await rawSocket(port);
    socket.write(Buffer.concat([header, Buffer.from("hello")]));
    await until(() => accepted.length === 1);
    expect(accepted[0]?.info.remoteAddress).toBe("192.0.2.7:51000");
    expect(await firstData(accepted[0] as Connection)).toBe("hello");
  });

  it("comes before TLS", async () => {
    const { port, accepted } = await listen({ ...trusted, tls: server });
    const socket = await rawSocket(port);
    socket.write(v1);
    const { connect: connectTls } = await import("node:tls");
    const secured = connectTls({ socket, ca: authority.cert, servername: "localhost", ALPNProtocols: ["mqtt"] });
    secured.on("error", () => {}).write("secret");
    await until(() => accepted.length === 1);
    expect(accepted[0]?.info).toMatchObject({ remoteAddress: "192.0.2.7:51000", secure: true });
    expect(await firstData(accepted[0] as Connection)).toBe("secret");
  });

  it("is waited for byte by byte", async () => {
    const { port, accepted } = await listen(trusted);
    const socket = await rawSocket(port);
    for (const character of v1) {
      socket.write(character);
    }
    await until(() => accepted.length === 1);
    expect(accepted[0]?.info.remoteAddress).toBe("192.0.2.7:51000");
  });

  it("is not believed from anybody else", async () => {
    const { port, accepted } = await listen({ proxyProtocol: { trusted: ["192.0.2.0/24"] } });
    const socket = await rawSocket(port);
    socket.write(v1);
    await until(() => accepted.length === 1);
    expect(accepted[0]?.info.remoteAddress).toMatch(/^127\.0\.0\.1:/);
    expect(await firstData(accepted[0] as Connection)).toBe(v1);
  });

  it.each([
    ["something else", "GET / HTTP/1.1\r\n\r\n"],
    ["a bad address", "PROXY TCP4 999.0.2.7 192.0.2.1 51000 1883\r\n"],
    ["a bad port", "PROXY TCP4 192.0.2.7 192.0.2.1 99999 1883\r\n"],
    ["a line without end", `PROXY TCP4 ${"1".repeat(200)}`],
  ])("closes the connection on %s", async (_what, header) => {
    const { port, accepted, refused } = await listen(trusted);
    const socket = await rawSocket(port);
    socket.write(header);
    await closed(socket);
    expect(accepted).toEqual([]);
    expect(refused).toMatchObject([{ code: "protocol" }]);
  });

  it("has a limit of time", async () => {
    const { port, accepted } = await listen({ ...trusted, handshakeTimeoutMs: 100 });
    const socket = await rawSocket(port);
    socket.write("PROXY TCP4 ");
    await closed(socket);
    expect(accepted).toEqual([]);
  });
});

describe("what the system is asked for", () => {
  // MQTT's keep-alive may be off, and a peer that vanished sends no end.
  it.runIf(process.platform === "linux").each([
    [undefined, true],
    [0, false],
  ])("is keep-alive of TCP with a delay of %s: %s", async (keepAliveDelayMs, expected) => {
    const { port, accepted } = await listen(keepAliveDelayMs === undefined ? {} : { keepAliveDelayMs });
    const socket = await rawSocket(port);
    await until(() => accepted.length === 1);
    const hex = (number: number | undefined): string => Number(number).toString(16).toUpperCase().padStart(4, "0");
    // Addresses of both ends, state, queues, and the timer: 2 is keep-alive's.
    const entry = new RegExp(`0100007F:${hex(port)} 0100007F:${hex(socket.localPort)} 01 \\S+ (\\d\\d):`);
    const [, timer] = entry.exec(readFileSync("/proc/net/tcp", "latin1")) ?? [];
    expect(timer).toBe(expected ? "02" : "00");
  });
});
