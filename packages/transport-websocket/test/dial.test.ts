import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { webSocket as platformWebSocket, type WebSocketOptions } from "@tidewire/transport-websocket";
import { webSocket, webSocketListener } from "@tidewire/transport-websocket/node";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { certificate, daysFromNow } from "../../transport-tcp/test/certificates.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const part of opened.splice(0)) {
    await part.close();
  }
});

const Platform = WebSocket as unknown as typeof globalThis.WebSocket;

async function listen(options = {}): Promise<string> {
  const listener = await webSocketListener({ host: "127.0.0.1", ...options })((connection) => connection.abort());
  opened.push(listener);
  return listener.addresses[0] ?? "";
}

it("takes an option that is there but undefined for not given", async () => {
  const url = await listen();
  const options = { WebSocket: Platform, protocols: undefined, highWaterMark: undefined, connectTimeoutMs: undefined };
  const connection = await platformWebSocket(url, options as unknown as WebSocketOptions)();
  expect(connection.info.protocol).toBe("mqtt");
});

describe("providers", () => {
  it("are asked for every attempt", async () => {
    const url = await listen();
    let asked = 0;
    const provider = async (): Promise<string> => {
      asked += 1;
      return `${url}?signature=${asked}`;
    };
    const dials = [
      webSocket(provider, { headers: () => ({ authorization: `Bearer ${asked}` }) }),
      platformWebSocket(provider, { WebSocket: Platform }),
    ];
    for (const dial of dials) {
      await dial();
      await dial();
    }
    expect(asked).toBe(4);
  });

  it("fail the dial when they fail", async () => {
    const provider = (): Promise<string> => Promise.reject(new Error("no token"));
    for (const dial of [webSocket(provider), platformWebSocket(provider, { WebSocket: Platform })]) {
      await expect(dial()).rejects.toMatchObject({ code: "handshake-failed", cause: { message: "no token" } });
    }
  });

  it("may be cancelled while they are asked", async () => {
    const provider = (): Promise<string> => new Promise(() => {});
    for (const dial of [webSocket(provider), platformWebSocket(provider, { WebSocket: Platform })]) {
      const controller = new AbortController();
      const dialled = dial({ signal: controller.signal });
      controller.abort();
      await expect(dialled).rejects.toMatchObject({ code: "aborted" });
    }
  });

  it("count towards the limit of time", async () => {
    const provider = (): Promise<string> => new Promise(() => {});
    await expect(webSocket(provider, { connectTimeoutMs: 50 })()).rejects.toMatchObject({ code: "timeout" });
  });
});

describe("failures", () => {
  it.each(["http//nonsense", "ftp://127.0.0.1/"])("rejects %s with `address-invalid`", async (url) => {
    await expect(webSocket(url)()).rejects.toMatchObject({ code: "address-invalid" });
    await expect(platformWebSocket(url, { WebSocket: Platform })()).rejects.toMatchObject({ code: "address-invalid" });
  });

  it("shows no URL, which may hold credentials", async () => {
    const error = await webSocket("ws://user:secret@127.0.0.1:1/mqtt?token=secret")().catch((reason) => reason);
    expect(`${error} ${JSON.stringify(error)}`).not.toContain("secret");
  });

  it("tells of a wrong path, and of an origin that is not allowed", async () => {
    const url = await listen({ origins: ["https://app.example"] });
    await expect(webSocket(`${url}x`)()).rejects.toMatchObject({ code: "handshake-failed" });
    const headers = { origin: "https://other.example" };
    await expect(webSocket(url, { headers })()).rejects.toMatchObject({ code: "not-permitted" });
    (await webSocket(url, { headers: { origin: "https://app.example" } })()).abort();
  });

  it("tells of a server that chooses no subprotocol", async () => {
    const url = await listen({ protocols: ["other"], allowMissingSubprotocol: true });
    await expect(webSocket(url)()).rejects.toMatchObject({ code: "handshake-failed" });
    const silent = createServer();
    silent.on("upgrade", (request, socket) => {
      const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      crypto.subtle.digest("SHA-1", new TextEncoder().encode(key)).then((digest) => {
        const accept = Buffer.from(digest).toString("base64");
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
      });
    });
    await new Promise<void>((resolve) => {
      silent.listen(0, "127.0.0.1", resolve);
    });
    opened.push({
      close() {
        silent.close();
        silent.closeAllConnections();
      },
    });
    const { port } = silent.address() as AddressInfo;
    await expect(webSocket(`ws://127.0.0.1:${port}/`)()).rejects.toMatchObject({ code: "subprotocol-refused" });
  });

  it("gives up on a server that never answers", async () => {
    const { createServer: createTcpServer } = await import("node:net");
    const silent = createTcpServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => {
      silent.once("listening", resolve);
    });
    opened.push(silent);
    const { port } = silent.address() as AddressInfo;
    const dial = webSocket(`ws://127.0.0.1:${port}/mqtt`, { connectTimeoutMs: 100 });
    await expect(dial()).rejects.toMatchObject({ code: "timeout" });
  });
});

describe("the certificate of wss", async () => {
  const authority = await certificate("Test authority", { authority: true });
  const stranger = await certificate("Unknown authority", { authority: true });
  it.each([
    ["tls-expired", { issuer: authority, validFrom: daysFromNow(-9), validTo: daysFromNow(-2) }],
    ["tls-wrong-host", { issuer: authority, host: "elsewhere.example" }],
    ["tls-untrusted", { issuer: stranger }],
    ["tls-untrusted", {}],
  ])("fails the dial with the code %s", async (code, options) => {
    const url = await listen({ tls: await certificate("server", options) });
    await expect(webSocket(url, { tls: { ca: authority.cert } })()).rejects.toMatchObject({
      name: "TransportError",
      code,
    });
  });

  it("is accepted when it is valid", async () => {
    const url = await listen({ tls: await certificate("server", { issuer: authority }) });
    const connection = await webSocket(url, { tls: { ca: authority.cert } })();
    expect(connection.info).toMatchObject({ transport: "wss", secure: true, protocol: "mqtt" });
  });
});
