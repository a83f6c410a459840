import { connect } from "node:net";
import type { Connection, TransportError } from "@tidewire/transport";

import { webSocketListener } from "@tidewire/transport-websocket/node";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type TcpListener, tcpListener } from "../../transport-tcp/src/index.ts";
import { upgradeRequest } from "./support.ts";

// One packet of one client ended a whole broker, by an exception inside a callback of the platform. Whatever throws in a
// callback of a listener or of a connection may end one connection at most; `@tidewire/conformance` has the same for the
// handler of a connection.

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) {
    await end();
  }
});

type Callback = () => unknown;

class Failing {
  // biome-ignore lint/suspicious/noThenProperty: not only promises are awaited.
  then(_resolve: unknown, reject: (error: Error) => void): void {
    reject(new Error("on purpose"));
  }
}

const ways: readonly (readonly [string, Callback])[] = [
  [
    "at once",
    () => {
      throw new Error("on purpose");
    },
  ],
  ["later", () => Promise.reject(new Error("on purpose"))],
  ["in a thenable that is no Promise", () => new Failing()],
];

interface Setup {
  readonly name: string;
  readonly hello: string;
  listen(
    onConnection: (connection: Connection) => void,
    onRefused: (error: TransportError) => void,
  ): Promise<Pick<TcpListener, "addresses" | "close">>;
}

const setups: readonly Setup[] = [
  {
    name: "TCP",
    hello: "",
    listen: (onConnection, onRefused) =>
      tcpListener({ host: "127.0.0.1", onRefused, proxyProtocol: { trusted: ["127.0.0.2"] } })(onConnection),
  },
  {
    name: "WebSocket",
    hello: upgradeRequest("/mqtt"),
    listen: (onConnection, onRefused) => webSocketListener({ host: "127.0.0.1", onRefused })(onConnection),
  },
];

/** Resolves when the connection is there; `closed` does when it has ended. */
async function open(port: number, text: string, localAddress = "127.0.0.1"): Promise<{ closed: Promise<unknown> }> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  ends.push(() => socket.destroy());
  socket.on("error", () => {}).resume();
  const closed = new Promise((resolve) => {
    socket.once("close", resolve);
  });
  await new Promise((resolve) => {
    // A reset may come before the connection is known to be there.
    socket.once("connect", resolve).once("close", resolve);
  });
  socket.write(text);
  return { closed };
}

describe.each(setups)("$name", ({ hello, listen }) => {
  it.each(ways)("an onConnection that throws %s ends that connection, and is told to onRefused", async (_way, fail) => {
    const served: Connection[] = [];
    const refused: TransportError[] = [];
    let broken = true;
    const listener = await listen(
      (connection) => (broken ? fail() : served.push(connection)) as undefined,
      (error) => refused.push(error),
    );
    ends.push(() => listener.close());
    const port = Number(new URL(listener.addresses[0] ?? "").port);
    await (await open(port, hello)).closed;
    expect(refused).toMatchObject([{ code: "callback-threw", cause: expect.any(Error) }]);
    broken = false;
    await open(port, hello);
    await vi.waitFor(() => expect(served.length).toBe(1));
  });

  it.each(ways)("an onRefused that throws %s harms nobody", async (_way, fail) => {
    const served: Connection[] = [];
    const calls = vi.fn(fail);
    const listener = await listen((connection) => served.push(connection), calls as unknown as () => void);
    ends.push(() => listener.close());
    const port = Number(new URL(listener.addresses[0] ?? "").port);
    // No request, and no PROXY header.
    await open(port, "nonsense\r\n\r\n", "127.0.0.2");
    await vi.waitFor(() => expect(calls).toHaveBeenCalledOnce());
    await open(port, hello);
    await vi.waitFor(() => expect(served.length).toBe(1));
  });
});
