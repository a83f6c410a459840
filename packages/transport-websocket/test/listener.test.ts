import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Connection, TransportError } from "@tidewire/transport";
import {
  type AttachOptions,
  attachWebSocket,
  type WebSocketListener,
  type WebSocketListenerOptions,
  webSocket,
  webSocketListener,
} from "@tidewire/transport-websocket/node";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { certificate } from "../../transport-tcp/test/certificates.ts";
import { bareClient, closeCode, frame, Observed, rawSocket, responseOf, until, upgradeRequest } from "./support.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const part of opened.splice(0)) {
    await part.close();
  }
});

interface Listening {
  readonly url: string;
  readonly port: number;
  readonly listener: WebSocketListener;
  readonly accepted: Connection[];
  readonly refused: TransportError[];
}

async function listen(options: WebSocketListenerOptions = {}): Promise<Listening> {
  const accepted: Connection[] = [];
  const refused: TransportError[] = [];
  const listen = webSocketListener({ host: "127.0.0.1", onRefused: (error) => refused.push(error), ...options });
  const listener = await listen((connection) => accepted.push(connection));
  opened.push(listener, { close: () => accepted.map((connection) => connection.abort()) });
  const url = listener.addresses[0] ?? "";
  return { url, port: Number(new URL(url).port), listener, accepted, refused };
}

async function request(port: number, text: string): Promise<string> {
  const socket = await rawSocket(port);
  socket.write(text);
  return (await responseOf(socket)).split("\r\n", 1)[0] ?? "";
}

describe("the upgrade", () => {
  it.each([
    ["mqtt", "mqtt"],
    ["mqttv3.1", "mqttv3.1"],
    ["mqtt, mqttv3.1", "mqtt"],
    ["mqttv3.1 , mqtt", "mqttv3.1"],
    ["other,\tmqtt", "mqtt"],
  ])("answers the subprotocols `%s` with `%s`", async (offered, chosen) => {
    const { port, accepted } = await listen();
    const socket = await rawSocket(port);
    socket.write(upgradeRequest("/mqtt", { "Sec-WebSocket-Protocol": offered }));
    const head = await new Promise<string>((resolve) => {
      socket.once("data", (chunk) => resolve(chunk.toString()));
    });
    expect(head).toContain(`Sec-WebSocket-Protocol: ${chosen}\r\n`);
    expect(accepted[0]?.info.protocol).toBe(chosen);
    socket.destroy();
  });

  it.each([
    [undefined, "subprotocol-refused"],
    ["other", "subprotocol-refused"],
    ["mqtt5", "subprotocol-refused"],
    ["xmqtt, mqttx", "subprotocol-refused"],
    ["mqtt,,mqttv3.1", "handshake-failed"],
  ])("refuses the subprotocols `%s`", async (offered, code) => {
    const { port, accepted, refused } = await listen();
    expect(await request(port, upgradeRequest("/mqtt", { "Sec-WebSocket-Protocol": offered }))).toContain(" 400 ");
    expect(accepted).toEqual([]);
    expect(refused).toMatchObject([{ code }]);
  });

  it("accepts none when that is allowed", async () => {
    const { url, accepted } = await listen({ allowMissingSubprotocol: true });
    const connection = await webSocket(url, { protocols: [] })();
    expect(connection.info.protocol).toBeUndefined();
    expect(accepted[0]?.info.protocol).toBeUndefined();
    connection.abort();
  });

  it.each([
    ["https://app.example", 101],
    ["https://app.example.evil.example", 403],
    ["https://app.example:8443", 403],
    ["http://app.example", 403],
    ["null", 403],
    [undefined, 101],
  ])("answers the origin %s with status %d", async (origin, status) => {
    const { port, refused } = await listen({ origins: ["https://app.example"] });
    const socket = await rawSocket(port);
    socket.write(upgradeRequest("/mqtt", { Origin: origin }));
    const head = await new Promise<string>((resolve) => {
      socket.once("data", (chunk) => resolve(chunk.toString()));
    });
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(refused.map(({ code }) => code)).toEqual(status === 403 ? ["origin-refused"] : []);
    socket.destroy();
  });

  it.each([
    ["another path", upgradeRequest("/other"), "404"],
    ["a longer path", upgradeRequest("/mqtt/x"), "404"],
    ["no upgrade", "GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n", "426"],
    ["no key", upgradeRequest("/mqtt", { "Sec-WebSocket-Key": undefined }), "400"],
    ["headers without end", `GET /mqtt HTTP/1.1\r\n${"X: y\r\n".repeat(10_000)}`, "431"],
  ])("answers %s with %s", async (_what, text, status) => {
    const { port } = await listen();
    expect(await request(port, text)).toContain(` ${status} `);
  });

  it("tells path, query and headers", async () => {
    const { url, accepted } = await listen();
    const connection = await webSocket(`${url}?token=1`, { headers: { "X-Tenant": "blue" } })();
    expect(accepted[0]?.info).toMatchObject({ path: "/mqtt?token=1", transport: "ws", secure: false });
    expect(accepted[0]?.info.headers?.get("x-tenant")).toBe("blue");
    expect(connection.info.path).toBe("/mqtt");
    connection.abort();
  });

  it("keeps what comes with the upgrade in one packet of the network", async () => {
    const { port, accepted } = await listen();
    const socket = await rawSocket(port);
    socket.write(Buffer.concat([Buffer.from(upgradeRequest("/mqtt")), frame(2, Buffer.from("first"))]));
    await until(() => accepted.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const observed = new Observed(accepted[0] as Connection);
    await until(() => observed.bytes.toString() === "first");
    socket.destroy();
  });

  it.each([
    [["127.0.0.1"], "203.0.113.9"],
    [["127.0.0.0/8", "10.0.0.0/8"], "198.51.100.7"],
    [[], "127.0.0.1"],
  ])("believes X-Forwarded-For from %j only", async (trustedProxies, expected) => {
    const { url, accepted } = await listen({ trustedProxies });
    const headers = {
      "X-Forwarded-For": expected === "203.0.113.9" ? "1.2.3.4, 203.0.113.9" : "198.51.100.7, 10.0.0.1",
    };
    (await webSocket(url, { headers })()).abort();
    expect(accepted[0]?.info.remoteAddress?.replace(/:\d+$/, "")).toBe(expected);
  });
});

describe("messages", () => {
  it("may hold many packets, parts of packets, or nothing", async () => {
    const { url, accepted } = await listen();
    const ws = await bareClient(url);
    const observed = new Observed(accepted[0] as Connection);
    for (const text of ["ab", "", "c", "defghi"]) {
      ws.send(Buffer.from(text));
    }
    await until(() => observed.bytes.toString() === "abcdefghi");
    ws.terminate();
  });

  it("are one for each send, of any number of chunks", async () => {
    const { url, accepted } = await listen();
    const ws = await bareClient(url);
    const sizes: number[] = [];
    ws.on("message", (data: Buffer) => sizes.push(data.length));
    const { connection } = new Observed(accepted[0] as Connection);
    for (const size of [3, 125, 126, 5_000, 65_535, 65_536, 200_000]) {
      connection.send([Buffer.alloc(1), Buffer.alloc(size - 2), Buffer.alloc(1)]);
    }
    await until(() => sizes.length === 7);
    expect(sizes).toEqual([3, 125, 126, 5_000, 65_535, 65_536, 200_000]);
    ws.terminate();
  });

  it("are several where one would be larger than receivers take", async () => {
    const { url, accepted } = await listen({ maxPayload: 10_000 });
    const connection = await webSocket(url, { sentMessageBytes: 8_192 })();
    const observed = new Observed(accepted[0] as Connection);
    connection.send([Buffer.alloc(20_000), Buffer.alloc(30_000)]);
    await until(() => observed.bytes.length === 50_000);
    expect(observed.chunks.map(({ length }) => length)).toEqual([8_192, 8_192, 8_192, 8_192, 8_192, 8_192, 848]);
    connection.abort();
  });

  it("end the connection with 1003 when they are text", async () => {
    const { url, accepted } = await listen();
    const ws = await bareClient(url);
    const observed = new Observed(accepted[0] as Connection);
    ws.send("text");
    ws.send(Buffer.from("more"));
    expect(await closeCode(ws)).toBe(1003);
    await until(() => observed.closeInfo !== undefined);
    expect(observed.closeInfo).toMatchObject({ initiator: "remote", clean: false, error: { code: "text-frame" } });
    expect(observed.chunks).toEqual([]);
  });

  it("end the connection with 1009 when they are too big", async () => {
    const { url, accepted } = await listen({ maxPayload: 1_000 });
    const ws = await bareClient(url);
    const observed = new Observed(accepted[0] as Connection);
    ws.send(Buffer.alloc(1_001));
    expect(await closeCode(ws)).toBe(1009);
    await until(() => observed.closeInfo !== undefined);
    expect(observed.closeInfo).toMatchObject({ initiator: "remote", clean: false, error: { code: "message-too-big" } });
  });

  it("tell the sender that they were too big", async () => {
    const { url, accepted } = await listen({ maxPayload: 1_000 });
    const observed = new Observed(await webSocket(url)());
    new Observed(accepted[0] as Connection);
    observed.connection.send([Buffer.alloc(1_001)]);
    await until(() => observed.closeInfo !== undefined);
    expect(observed.closeInfo).toMatchObject({ initiator: "remote", error: { code: "message-too-big" } });
  });
});

describe("attachWebSocket", () => {
  it("shares a port with a web application and other WebSockets", async () => {
    const server = createServer((_request, response) => response.end("page"));
    const chat = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      if (request.url === "/chat") {
        chat.handleUpgrade(request, socket, head, (ws) => ws.send("hello"));
      }
    });
    const accepted: Connection[] = [];
    const listener = await attachWebSocket(server)((connection) => accepted.push(connection));
    expect(listener.addresses).toEqual([]);
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    opened.push({ close: () => server.close() });
    const { port } = server.address() as AddressInfo;
    expect(listener.addresses).toEqual([`ws://127.0.0.1:${port}/mqtt`]);

    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("page");
    const other = new WebSocket(`ws://127.0.0.1:${port}/chat`);
    await new Promise((resolve) => {
      other.once("message", resolve);
    });
    const connection = await webSocket(`ws://127.0.0.1:${port}/mqtt`)();
    await until(() => accepted.length === 1);
    await listener.close();
    const observed = new Observed(connection);
    new Observed(accepted[0] as Connection).connection.send([Buffer.from("still here")]);
    await until(() => observed.bytes.toString() === "still here");
    connection.abort();
    other.terminate();
    server.closeAllConnections();
  });

  it("refuses other paths when nobody else listens for upgrades", async () => {
    const server = createServer();
    await attachWebSocket(server)(() => {});
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    opened.push({ close: () => server.close() });
    const { port } = server.address() as AddressInfo;
    expect(await request(port, upgradeRequest("/other"))).toContain(" 404 ");
  });
});

// The live page's server kept half-open requests for ever, and with them the places of its visitors.
describe("connections of a server that a listener is attached to", () => {
  async function attached(options: AttachOptions): Promise<{ port: number; codes: string[] }> {
    const server = createServer((_request, response) => response.end("page"));
    const codes: string[] = [];
    await attachWebSocket(server, { onRefused: ({ code }) => codes.push(code), ...options })(() => {});
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    opened.push({ close: () => server.close().closeAllConnections() });
    return { port: (server.address() as AddressInfo).port, codes };
  }

  it.each(["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\n"])("have a limit of time for %j", async (text) => {
    const { port, codes } = await attached({ handshakeTimeoutMs: 100 });
    const socket = await rawSocket(port);
    socket.write(text);
    await responseOf(socket);
    expect(codes).toEqual(["timeout"]);
  });

  it("have none once they sent a request", async () => {
    const { port, codes } = await attached({ handshakeTimeoutMs: 100 });
    const socket = await rawSocket(port);
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(socket.destroyed).toBe(false);
    socket.destroy();
    expect(codes).toEqual([]);
  });

  it("make room for newcomers", async () => {
    const { port, codes } = await attached({ pendingHandshakesPerAddress: 2 });
    const silent = await Promise.all([rawSocket(port), rawSocket(port)]);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("page");
    expect(codes).toEqual(["crowded"]);
    for (const socket of silent) {
      socket.destroy();
    }
  });
});

describe("wss", () => {
  it("replaces its certificate while connections live", async () => {
    const [first, second] = [await certificate("first"), await certificate("second")];
    const { url, listener, accepted } = await listen({ tls: first });
    const connection = await webSocket(url, { tls: { ca: first.cert } })();
    listener.reloadCertificate(second);
    await expect(webSocket(url, { tls: { ca: first.cert } })()).rejects.toMatchObject({ code: "tls-untrusted" });
    (await webSocket(url, { tls: { ca: second.cert } })()).abort();
    const observed = new Observed(connection);
    new Observed(accepted[0] as Connection).connection.send([Buffer.from("still here")]);
    await until(() => observed.bytes.toString() === "still here");
    connection.abort();
  });

  it("tells the name in a client certificate", async () => {
    const authority = await certificate("Test authority", { authority: true });
    const server = await certificate("server", { issuer: authority });
    const client = await certificate("meter-17", { issuer: authority });
    const { url, accepted } = await listen({ tls: { ...server, ca: authority.cert, requestCert: true } });
    (await webSocket(url, { tls: { ca: authority.cert, ...client } })()).abort();
    expect(accepted[0]?.info.clientCertificateName).toBe("meter-17");
    await expect(webSocket(url, { tls: { ca: authority.cert } })()).rejects.toMatchObject({
      code: "tls-client-certificate",
    });
  });
});
