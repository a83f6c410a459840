import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { connectMqttJs, type ForeignClient } from "../src/mqttjs.ts";
import { type Server, startServer } from "../src/tidewire.ts";

describe("a broker that is sent what is not MQTT", () => {
  let server: Server;
  let tcpPort: number;
  let wsUrl: string;
  let bystanders: ForeignClient[];

  beforeAll(async () => {
    server = await startServer();
    tcpPort = server.ports[0] ?? 0;
    wsUrl = String(server.urls[1]);
    bystanders = await Promise.all([
      connectMqttJs(`mqtt://127.0.0.1:${tcpPort}`, { protocolVersion: 5 }),
      connectMqttJs(wsUrl, { protocolVersion: 4 }),
    ]);
    for (const { client } of bystanders) {
      await client.subscribeAsync("bystander/#", { qos: 1 });
    }
  });

  afterAll(async () => {
    for (const { client } of bystanders) {
      await client.endAsync(true);
    }
    const exit = await server.program.stop();
    expect(exit).toEqual({ code: 0, signal: null });
  });

  /** The clients that were there before still get messages, over the connections that they had. */
  async function expectBystandersUnaffected(): Promise<void> {
    const topic = `bystander/${randomBytes(4).toString("hex")}`;
    await bystanders[0]?.client.publishAsync(topic, "still here", { qos: 1 });
    for (const { client, message } of bystanders) {
      expect((await message(topic)).text).toBe("still here");
      expect(client.connected).toBe(true);
    }
  }

  /** Sends bytes over TCP; resolves with what came back when the broker has closed the connection. */
  function sendRaw(bytes: Uint8Array | string): Promise<Buffer> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const socket = connect(tcpPort, "127.0.0.1", () => socket.write(bytes));
      socket.on("data", (chunk) => chunks.push(chunk));
      socket.on("error", () => {});
      socket.once("close", () => resolve(Buffer.concat(chunks)));
    });
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("closes a connection with random bytes (%i)", async () => {
    const bytes = randomBytes(512);
    // The first byte must not be that of a CONNECT, which could be waited for.
    bytes[0] = 0x20 | (bytes[0] ?? 0);
    await sendRaw(bytes);
    await expectBystandersUnaffected();
  });

  it("closes an HTTP request on the TCP port", async () => {
    expect(String(await sendRaw("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))).toBe("");
    await expectBystandersUnaffected();
  });

  it("closes a WebSocket that sends a text frame, with code 1003", async () => {
    const socket = new WebSocket(wsUrl, "mqtt");
    const code = await new Promise((resolve) => {
      socket.once("open", () => socket.send("hello"));
      socket.once("close", resolve);
      socket.on("error", () => {});
    });
    expect(code).toBe(1003);
    await expectBystandersUnaffected();
  });

  it("closes a WebSocket that sends random bytes", async () => {
    const socket = new WebSocket(wsUrl, "mqtt");
    await new Promise((resolve) => {
      socket.once("open", () => socket.send(Buffer.concat([Buffer.of(0xf0), randomBytes(512)])));
      socket.once("close", resolve);
      socket.on("error", () => {});
    });
    await expectBystandersUnaffected();
  });

  it("closes a client that breaks the protocol after its CONNECT", async () => {
    // CONNECT of MQTT 3.1.1, Clean Session, client id "test"; a second one is not allowed [MQTT-3.1.0-2].
    const connectPacket = Buffer.from("101000044d5154540402003c000474657374", "hex");
    const reply = await sendRaw(Buffer.concat([connectPacket, connectPacket]));
    expect(reply.subarray(0, 4).toString("hex")).toBe("20020000");
    await expectBystandersUnaffected();
  });
});
