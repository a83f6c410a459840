import { connect as connectTls } from "node:tls";
import type { Connection, TransportError } from "@tidewire/transport";
import { type WebSocketListenerOptions, webSocketListener } from "@tidewire/transport-websocket/node";
import { afterEach, describe, expect, it } from "vitest";
import { type Certificate, certificate } from "../../transport-tcp/test/certificates.ts";
import { rawSocket, upgradeRequest } from "./support.ts";

// Attack 55: a web page that is open in a visitor's browser opens a WebSocket to a server that the page has nothing to do
// with, from the visitor's network. The same by DNS rebinding, where even the names agree. ("Origin compared by prefix"
// among the field's failures of WebSocket listeners.)

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const part of opened.splice(0)) {
    await part.close();
  }
});

interface Site {
  readonly port: number;
  readonly refused: TransportError[];
}

async function site(options: WebSocketListenerOptions = {}): Promise<Site> {
  const accepted: Connection[] = [];
  const refused: TransportError[] = [];
  const listener = await webSocketListener({
    host: "127.0.0.1",
    onRefused: (error) => refused.push(error),
    ...options,
  })((connection) => accepted.push(connection));
  opened.push(listener, { close: () => accepted.map((connection) => connection.abort()) });
  return { port: Number(new URL(listener.addresses[0] ?? "").port), refused };
}

/** The status that a request with these headers is answered with; PORT stands for that of the listener. */
async function statusOf({ port }: Site, headers: Record<string, string | undefined>, path = "/mqtt"): Promise<number> {
  const socket = await rawSocket(port);
  socket.write(upgradeRequest(path, headers).replaceAll("PORT", String(port)));
  return firstStatus(socket);
}

async function firstStatus(socket: NodeJS.ReadableStream & { destroy(): unknown }): Promise<number> {
  const head = await new Promise<string>((resolve) => {
    socket.once("data", (chunk: Buffer) => resolve(chunk.toString("latin1")));
  });
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d+) /.exec(head)?.[1]);
}

describe("without `origins`", () => {
  it.each([
    ["absent", undefined, 101],
    ["the same", "http://127.0.0.1:PORT", 101],
    ["the same in capitals", "HTTP://127.0.0.1:PORT", 101],
    ["another page", "https://evil.example", 403],
    ["of no origin", "null", 403],
    ["another port", "http://127.0.0.1:1", 403],
    ["without the port", "http://127.0.0.1", 403],
    ["another scheme", "https://127.0.0.1:PORT", 403],
    ["another name of the same machine", "http://localhost:PORT", 403],
    ["with a longer host", "http://127.0.0.1.evil.example:PORT", 403],
    ["with a longer port", "http://127.0.0.1:PORT0", 403],
    ["with a user", "http://127.0.0.1:PORT@evil.example", 403],
    ["with a path", "http://127.0.0.1:PORT/evil", 403],
    ["empty", "", 403],
    ["two of them", "http://127.0.0.1:PORT, https://evil.example", 403],
  ])("answers an Origin that is %s as it should", async (_what, origin, status) => {
    const own = await site();
    expect(await statusOf(own, { Host: "127.0.0.1:PORT", Origin: origin })).toBe(status);
    expect(own.refused.map(({ code }) => code)).toEqual(status === 403 ? ["origin-refused"] : []);
  });

  it("takes the default ports for what they are", async () => {
    expect(await statusOf(await site(), { Host: "localhost:80", Origin: "http://localhost" })).toBe(101);
    expect(await statusOf(await site(), { Host: "localhost", Origin: "http://localhost:80" })).toBe(101);
  });

  it.each([
    ["localhost:PORT", 101],
    ["LOCALHOST", 101],
    ["127.1.2.3", 101],
    ["[::1]:PORT", 101],
    ["evil.example", 403],
    ["evil.example:PORT", 403],
    ["127.0.0.1.evil.example", 403],
    ["localhost.evil.example", 403],
    ["0.0.0.0", 403],
    ["[::2]", 403],
  ])("on loopback answers the Host %s with %d (DNS rebinding)", async (host, status) => {
    const own = await site();
    expect(await statusOf(own, { Host: host })).toBe(status);
    // The name that an attacker controls and made resolve to this machine is the page's own.
    expect(await statusOf(own, { Host: host, Origin: `http://${host}` })).toBe(status);
    expect(own.refused.map(({ code }) => code)).toEqual(status === 403 ? ["host-refused", "host-refused"] : []);
  });

  it("takes the names in `hosts` on loopback", async () => {
    const own = await site({ hosts: ["broker.test"] });
    expect(await statusOf(own, { Host: "Broker.Test:PORT", Origin: "http://broker.test:PORT" })).toBe(101);
    expect(await statusOf(own, { Host: "broker.test.evil.example" })).toBe(403);
  });

  it("over TLS expects https", async () => {
    const server: Certificate = await certificate("server");
    const own = await site({ tls: server });
    const secured = async (origin: string): Promise<number> => {
      const socket = connectTls({ port: own.port, host: "127.0.0.1", ca: server.cert, servername: "localhost" });
      socket.on("error", () => {});
      const host = `localhost:${own.port}`;
      socket.write(upgradeRequest("/mqtt", { Host: host, Origin: origin.replace("HOST", host) }));
      return firstStatus(socket);
    };
    expect(await secured("https://HOST")).toBe(101);
    expect(await secured("http://HOST")).toBe(403);
  });

  it("believes a trusted proxy about scheme and host, and nobody else", async () => {
    const headers = {
      Host: "backend",
      Origin: "https://app.example",
      "X-Forwarded-Proto": "https",
      "X-Forwarded-Host": "app.example",
    };
    expect(await statusOf(await site({ trustedProxies: ["127.0.0.1"] }), headers)).toBe(101);
    expect(await statusOf(await site({ trustedProxies: ["192.0.2.1"] }), headers)).toBe(403);
    const wrong = { ...headers, Origin: "http://app.example" };
    expect(await statusOf(await site({ trustedProxies: ["127.0.0.1"] }), wrong)).toBe(403);
  });
});

describe("with `origins`", () => {
  it.each([
    ["https://app.example", 101],
    ["https://app.example:443", 101],
    ["https://App.Example", 101],
    ["https://other.example:8443", 101],
    ["https://app.example.evil.example", 403],
    ["https://xapp.example", 403],
    ["https://app.example:8443", 403],
    ["http://app.example", 403],
    ["null", 403],
    [undefined, 101],
  ])("answers %s with %d, whatever the Host", async (origin, status) => {
    const own = await site({ origins: ["https://app.example", "https://other.example:8443/"] });
    expect(await statusOf(own, { Host: "app.example", Origin: origin })).toBe(status);
  });

  it.each([["*" as const], [["https://app.example", "*"]]])("opens to every page with %j", async (origins) => {
    const own = await site({ origins });
    expect(await statusOf(own, { Host: "evil.example", Origin: "https://evil.example" })).toBe(101);
  });

  it.each(["app.example", "https://app.example/path", "https://", "https://user@app.example"])(
    "refuses to listen for the origin %j",
    async (origin) => {
      await expect(site({ origins: [origin] })).rejects.toMatchObject({ code: "address-invalid" });
    },
  );
});

describe("the request", () => {
  it.each([
    ["a URL as its target", "http://127.0.0.1:PORT/mqtt", { Host: "127.0.0.1:PORT" }, 101],
    ["a URL that overrides its Host", "ws://127.0.0.1/mqtt?x=1", { Host: "evil.example" }, 101],
    ["a URL of another host", "http://evil.example/mqtt", { Host: "127.0.0.1" }, 403],
    ["a slash at the end", "/mqtt/", {}, 101],
    ["a slash at the end and a query", "/mqtt//?a=/", {}, 101],
    ["another path that ends alike", "/x/mqtt", {}, 404],
    ["a path in capitals", "/MQTT", {}, 404],
    ["no Host", "/mqtt", { Host: undefined }, 400],
    ["no Host beside a URL", "http://127.0.0.1/mqtt", { Host: undefined }, 400],
    ["an empty Host", "/mqtt", { Host: "" }, 400],
    ["two Hosts", "/mqtt", { Host: "127.0.0.1\r\nHost: evil.example" }, 400],
    ["a Host with a user", "/mqtt", { Host: "a@127.0.0.1" }, 400],
    ["no key", "/mqtt", { "Sec-WebSocket-Key": undefined }, 400],
    ["no version", "/mqtt", { "Sec-WebSocket-Version": undefined }, 400],
    ["a body", "/mqtt", { "Content-Length": "5" }, 400],
  ])("with %s is answered as it should", async (_what, path, headers, status) => {
    expect(await statusOf(await site(), headers, path)).toBe(status);
  });

  // Attack 57.
  it.each(["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.2"])("in %s is not upgraded", async (version) => {
    const { port } = await site();
    const socket = await rawSocket(port);
    socket.write(upgradeRequest("/mqtt").replace("HTTP/1.1", version));
    expect(await firstStatus(socket)).toBe(400);
  });

  it("may be for several paths", async () => {
    const own = await site({ path: ["/mqtt", "/ws/"] });
    expect(await statusOf(own, {}, "/mqtt")).toBe(101);
    expect(await statusOf(own, {}, "/ws")).toBe(101);
    expect(await statusOf(own, {}, "/ws/x")).toBe(404);
    expect(own.refused.map(({ code }) => code)).toEqual(["path-refused"]);
  });

  // "Credentials in a URL that end up in a log"; attack 66.
  it("leaves no word of its own in what is reported", async () => {
    const own = await site();
    const secret = "s3cr3t-token";
    await statusOf(own, { Origin: `https://${secret}.example` }, `/mqtt?password=${secret}`);
    await statusOf(own, { "Sec-WebSocket-Protocol": secret }, `/mqtt?password=${secret}`);
    await statusOf(own, { "Sec-WebSocket-Key": secret }, `/mqtt?password=${secret}`);
    await statusOf(own, {}, `/${secret}`);
    expect(own.refused.length).toBe(4);
    expect(own.refused.map(({ message, cause }) => `${message} ${String(cause)}`).join()).not.toContain(secret);
  });
});
