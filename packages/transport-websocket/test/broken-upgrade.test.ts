import { once } from "node:events";
import type { TransportError } from "@tidewire/transport";
import { webSocketListener } from "@tidewire/transport-websocket/node";
import { expect, it, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

// "A stack that throws on what a stranger sent ends the process" (field-failures.md): whatever it may be, it ends one connection.
it("an upgrade that throws ends its own connection, is reported, and leaves others alone", async () => {
  const refused: TransportError[] = [];
  const listener = await webSocketListener({ host: "127.0.0.1", onRefused: (error) => refused.push(error) })(() => {});
  const url = String(listener.addresses[0]);
  vi.spyOn(WebSocketServer.prototype, "handleUpgrade").mockImplementationOnce(() => {
    throw new RangeError("odd");
  });
  const odd = new WebSocket(url, "mqtt");
  odd.on("error", () => {});
  await new Promise((resolve) => odd.once("close", resolve));
  await vi.waitFor(() => expect(refused).toMatchObject([{ code: "handshake-failed", cause: { message: "odd" } }]));
  const other = new WebSocket(url, "mqtt");
  await once(other, "open");
  other.terminate();
  await listener.close();
});
