import { once } from "node:events";
import type { Socket } from "node:net";
import { type BrokerLogger, createBroker } from "@tidewire/broker";
import { encode } from "@tidewire/codec";
import { webSocketListener } from "@tidewire/transport-websocket/node";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { connectPacket } from "./harness.ts";

// What a WebSocket is closed for below MQTT was a number at `debug`, if anything. One line at `info` says why.

const lines: string[] = [];
const logger: BrokerLogger = { debug() {}, info: (line) => lines.push(line), warn() {}, error() {} };
const broker = createBroker({ logger });
let url = "";

beforeAll(async () => {
  await broker.start();
  const { addresses } = await broker.listen(webSocketListener({ host: "127.0.0.1", maxPayload: 100_000 }));
  url = String(addresses[0]);
});

afterAll(() => broker.close());

/** A frame of a client, with a mask of zeros. */
function frame(first: number, payload: Uint8Array, length = payload.length): Buffer {
  const header = Buffer.alloc(14);
  header[0] = first;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

it.each([
  ["a text message", frame(0x81, Buffer.from("hello")), "sent a text message"],
  ["a text message that is no UTF-8", frame(0x81, Buffer.of(0xff, 0xfe)), "sent a text message"],
  ["an opcode that does not exist", frame(0x83, Buffer.of(0)), "WS_ERR_INVALID_OPCODE"],
  ["a reserved bit", frame(0xc2, Buffer.of(0)), "WS_ERR_UNEXPECTED_RSV_1"],
  ["a message over the limit", frame(0x82, Buffer.of(0), 200_000), "sent a message over the limit"],
  ["a length of 2^53", frame(0x82, Buffer.of(0), 2 ** 53), "sent a message over the limit"],
])("%s", async (what, bytes, reason) => {
  for (const connects of [false, true]) {
    const clientId = connects ? what : "";
    lines.length = 0;
    const ws = new WebSocket(url, "mqtt");
    ws.on("error", () => {});
    await once(ws, "open");
    if (connects) {
      ws.send(encode(connectPacket({ clientId }), 5));
      await once(ws, "message");
    }
    (ws as unknown as { _socket: Socket })._socket.write(bytes);
    await once(ws, "close");
    await vi.waitFor(() => expect(lines).toHaveLength(1));
    expect(lines[0]).toContain(reason);
    expect(lines[0]).toMatch(connects ? `client "${clientId}" at 127.0.0.1:` : "a client at 127.0.0.1:");
  }
});
