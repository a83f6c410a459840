import type { Connection } from "@tidewire/transport";
import { webSocket as platformWebSocket } from "@tidewire/transport-websocket";
import { webSocket, webSocketListener } from "@tidewire/transport-websocket/node";
import { expect, it } from "vitest";
import { WebSocket } from "ws";

it.each([
  ["ws", (url: string) => webSocket(url)],
  ["the platform's", (url: string) => platformWebSocket(url, { WebSocket: WebSocket as never })],
])("echoes over loopback with %s", async (_name, dial) => {
  const listener = await webSocketListener({ host: "127.0.0.1" })((connection: Connection) => {
    connection.start({ onData: (chunk) => connection.send([chunk]), onDrain() {}, onClose() {} });
  });
  const connection = await dial(listener.addresses[0]!)();
  const echoed = await new Promise<Uint8Array>((resolve) => {
    connection.start({ onData: resolve, onDrain() {}, onClose() {} });
    connection.send([Uint8Array.of(1, 2), Uint8Array.of(3)]);
  });
  expect([...echoed]).toEqual([1, 2, 3]);
  expect(connection.info.protocol).toBe("mqtt");
  connection.close();
  await listener.close();
});
