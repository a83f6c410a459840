import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { tcp } from "@tidewire/transport-tcp";
import { expect, it } from "vitest";

it("a dial does not take too long when it was answered while the process stood still", async () => {
  const server = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const opened = tcp({ host: "127.0.0.1", port, connectTimeoutMs: 20 })();
  // By then it is connecting; after that the process stands still, as between SIGSTOP and SIGCONT.
  process.nextTick(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60));
  const connection = await opened;
  expect(connection.info.transport).toBe("tcp");
  connection.abort();
  server.close();
});
