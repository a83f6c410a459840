import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";
import type { TransportError } from "../errors.ts";
import { AddressList } from "./address-list.ts";
import { SocketServer } from "./socket-server.ts";

it("a socket that cannot be set up ends alone, is reported, and leaves others alone", async () => {
  const refused: TransportError[] = [];
  let count = 0;
  const server = new SocketServer(
    { host: "127.0.0.1", onRefused: (error) => refused.push(error) },
    {
      alpnProtocols: ["mqtt"],
      proxies: new AddressList([]),
      upgrades: false,
      onSocket: (socket) => {
        count += 1;
        if (count === 1) {
          throw new RangeError("odd");
        }
        socket.end("served");
      },
    },
  );
  await server.open();
  const port = Number(new URL(server.url("tcp")).port);
  const odd = connect(port, "127.0.0.1").on("error", () => {});
  await new Promise((resolve) => odd.once("close", resolve));
  expect(refused).toMatchObject([{ code: "handshake-failed", cause: { message: "odd" } }]);
  const other = connect(port, "127.0.0.1");
  const [answer] = await once(other, "data");
  expect(String(answer)).toBe("served");
  await server.close();
});
