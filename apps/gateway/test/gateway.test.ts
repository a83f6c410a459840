import type { CloseInfo, Connection, Listener } from "@tidewire/transport";
import { tcpListener } from "@tidewire/transport-tcp";
import { webSocket } from "@tidewire/transport-websocket/node";
import { afterEach, expect, it } from "vitest";
import { parseCommandLine } from "../src/args.ts";
import { Gateway } from "../src/gateway.ts";

const toClose: (Gateway | Listener)[] = [];
afterEach(async () => {
  for (const part of toClose.splice(0)) {
    await part.close();
  }
});

interface Pair {
  readonly client: Connection;
  readonly broker: Connection;
  readonly log: string[];
}

/** A client that is connected to a broker through a gateway; nothing started. */
async function connect(): Promise<Pair> {
  let accept: (connection: Connection) => void = () => {};
  const accepted = new Promise<Connection>((resolve) => {
    accept = resolve;
  });
  const broker = await tcpListener({ host: "127.0.0.1" })((connection) => accept(connection));
  const { gateway, log } = await open(broker.addresses[0] ?? "");
  toClose.push(broker);
  const client = await webSocket(gateway.addresses[0] ?? "")();
  return { client, broker: await accepted, log };
}

async function open(target: string): Promise<{ gateway: Gateway; log: string[] }> {
  const options = parseCommandLine(["--listen", "ws://127.0.0.1:0/mqtt", "--target", target]);
  if (typeof options === "string") {
    throw new Error("unexpected");
  }
  const log: string[] = [];
  const gateway = await Gateway.open(options, (line) => log.push(line));
  toClose.push(gateway);
  return { gateway, log };
}

function closed(connection: Connection): Promise<CloseInfo> {
  return new Promise((resolve) => connection.start({ onData() {}, onDrain() {}, onClose: resolve }));
}

it("carries bytes both ways, also those sent before the broker was reached", async () => {
  const { client, broker } = await connect();
  client.send([Uint8Array.of(1, 2, 3)]);
  broker.start({ onData: (chunk) => broker.send([chunk]), onDrain() {}, onClose() {} });
  const echoed = await new Promise<Uint8Array>((resolve) => {
    client.start({ onData: resolve, onDrain() {}, onClose() {} });
  });
  expect([...echoed]).toEqual([1, 2, 3]);
});

it("stops a client whose broker does not read, and loses nothing", async () => {
  const { client, broker } = await connect();
  const chunk = new Uint8Array(65_536);
  let sent = 0;
  let drained: () => void = () => {};
  client.start({ onData() {}, onDrain: () => drained(), onClose() {} });
  // The broker has not started: sockets fill up, and at some point nothing moves any more.
  for (;;) {
    while (client.send([chunk])) {
      sent += chunk.length;
    }
    sent += chunk.length;
    const moved = await Promise.race([
      new Promise<boolean>((resolve) => {
        drained = () => resolve(true);
      }),
      new Promise<boolean>((resolve) => setTimeout(resolve, 300, false)),
    ]);
    if (!moved) {
      break;
    }
    expect(sent).toBeLessThan(64 * 1_048_576);
  }
  let received = 0;
  await new Promise<void>((resolve) => {
    broker.start({
      onData: (bytes) => {
        received += bytes.length;
        if (received >= sent) {
          resolve();
        }
      },
      onDrain() {},
      onClose() {},
    });
  });
  expect(received).toBe(sent);
});

it("passes an orderly end on as an orderly end", async () => {
  const { client, broker } = await connect();
  const atBroker = closed(broker);
  client.close();
  expect(await atBroker).toMatchObject({ initiator: "remote", clean: true });
});

it("passes a break on as a break, so that the broker sends the will", async () => {
  const { client, broker } = await connect();
  const atBroker = closed(broker);
  client.abort();
  expect(await atBroker).toMatchObject({ initiator: "remote", clean: false });
});

it("ends the client's connection when the broker is not there", async () => {
  const { gateway, log } = await open("tcp://127.0.0.1:1");
  const client = await webSocket(gateway.addresses[0] ?? "")();
  expect(await closed(client)).toMatchObject({ initiator: "remote", clean: false });
  expect(log.join()).toContain("cannot reach the target");
});

it("ends in order with clients connected", async () => {
  const { client, broker } = await connect();
  const ends = Promise.all([closed(client), closed(broker)]);
  await (toClose.shift() as Gateway).close();
  expect(await ends).toMatchObject([{ clean: true }, { clean: true }]);
});

it.each([
  [[], "--listen is missing"],
  [["--listen", "ws://127.0.0.1:0/mqtt"], "--target is missing"],
  [["--listen", "http://127.0.0.1", "--target", "tcp://127.0.0.1"], '--listen "http://127.0.0.1"'],
  [["--listen", "wss://127.0.0.1", "--target", "tcp://127.0.0.1"], "needs --cert and --key"],
  [["--listen", "ws://127.0.0.1", "--target", "nonsense"], '--target "nonsense"'],
  [["--lisen", "x"], "--lisen"],
  [["--listen", "ws://h", "--target", "tcp://h", "--max-connections", "0"], "--max-connections"],
])("says in one line what is wrong with %j", (args, message) => {
  expect(() => parseCommandLine(args)).toThrow(message);
  expect(() => parseCommandLine(args)).toThrow(/^[^\n]*$/);
});
