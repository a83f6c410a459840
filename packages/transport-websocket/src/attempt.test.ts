import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import type { Connection } from "@tidewire/transport";
import { expect, it } from "vitest";
import { attempt } from "./attempt.ts";

/** Stands still, as a process does between SIGSTOP and SIGCONT. */
function stop(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

it("does not take too long when what it waits for came while the process stood still", async () => {
  const server = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const connection = {} as Connection;
  const opened = attempt(20, undefined, async ({ resolve }) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(connection);
    });
    // By then it is connecting.
    process.nextTick(() => stop(60));
  });
  await expect(opened).resolves.toBe(connection);
  server.close();
});

it("takes too long when nothing came", async () => {
  let undone = 0;
  const opened = attempt(5, undefined, async (attempt) => {
    attempt.undo = () => {
      undone += 1;
    };
  });
  await expect(opened).rejects.toMatchObject({ code: "timeout" });
  expect(undone).toBe(1);
});
