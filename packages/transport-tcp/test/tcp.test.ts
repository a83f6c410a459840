import type { Connection } from "@tidewire/transport";
import { tcp, tcpListener } from "@tidewire/transport-tcp";
import { expect, it } from "vitest";

it("echoes over loopback", async () => {
  const listener = await tcpListener({ host: "127.0.0.1" })((connection: Connection) => {
    connection.start({ onData: (chunk) => connection.send([chunk]), onDrain() {}, onClose() {} });
  });
  const connection = await tcp({ host: "127.0.0.1", port: Number(new URL(listener.addresses[0]!).port) })();
  const echoed = await new Promise<Uint8Array>((resolve) => {
    connection.start({ onData: resolve, onDrain() {}, onClose() {} });
    connection.send([Uint8Array.of(1, 2), Uint8Array.of(3)]);
  });
  expect([...echoed]).toEqual([1, 2, 3]);
  connection.close();
  await listener.close();
});
