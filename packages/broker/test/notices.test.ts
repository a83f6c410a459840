import type { BrokerLogger, BrokerOptions } from "@tidewire/broker";
import { PacketType } from "@tidewire/codec";
import { expect, it } from "vitest";
import { connectPacket, Lab, type Peer, publishPacket } from "./harness.ts";

/*
 * The log says why a client is thrown out, refused or denied something: one line at `info`, with client, address and reason
 * in words.
 */

async function linesOf(options: BrokerOptions, act: (lab: Lab, client: Peer) => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const logger: BrokerLogger = { debug() {}, info: (line) => lines.push(line), warn() {}, error() {} };
  const lab = await Lab.start({ ...options, logger });
  const client = await lab.connect({ clientId: "gauge", keepAlive: 10 });
  await act(lab, client);
  await lab.settle();
  return lines.map((line) => line.replace(/ at \S+?(?= was| lost)/, ""));
}

const cases: readonly [string, BrokerOptions, (lab: Lab, client: Peer) => Promise<void>, string][] = [
  [
    "a packet that is too large",
    { limits: { maximumPacketSize: 100 } },
    async (_, client) => client.publish("t", "x".repeat(200)),
    'client "gauge" was disconnected: it broke the protocol with a PUBLISH: ',
  ],
  [
    "a malformed packet",
    {},
    async (_, client) => client.sendBytes(Uint8Array.of(0x36, 3, 0, 1, 0x61)),
    'client "gauge" was disconnected: it broke the protocol with a PUBLISH: ',
  ],
  [
    "a keep-alive that ran out",
    {},
    (lab) => lab.advance(20_000),
    'client "gauge" was disconnected: it sent nothing for 15 s; its keep-alive is 10 s',
  ],
  [
    "a silent connection",
    {},
    async (lab) => {
      lab.dial();
      await lab.advance(11_000);
    },
    "a client was disconnected: it sent no CONNECT within 10 s",
  ],
  [
    "an answer that is too large for the client",
    {},
    async (lab) => {
      const peer = lab.dial();
      peer.sendBytes(Uint8Array.of(0x10, 0x12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 60, 5, 0x27, 0, 0, 0, 4, 0, 0));
    },
    "was disconnected: it takes no packet as large as a CONNACK that it is owed",
  ],
  [
    "a refused password",
    { hooks: { authenticate: ({ clientId }) => clientId === "gauge" || { reasonCode: 0x86, reasonString: "who?" } } },
    async (lab) => void (await lab.connect({ clientId: "x" })),
    'client "x" was refused: who? (0x86 Bad user name or password)',
  ],
  [
    "a rate of connections",
    { limits: { connectsPerSecond: 1 } },
    async (lab) => void (await lab.connect({ clientId: "x" })),
    'client "x" was refused: too many clients connect at once (0x9f Connection rate exceeded)',
  ],
  [
    "a takeover",
    {},
    async (lab) => void (await lab.connect({ clientId: "gauge" })),
    'client "gauge" lost its connection to a newer one: Another connection came with its client identifier',
  ],
  [
    "a rule against publishing",
    { hooks: { authorizePublish: () => false } },
    async (_, client) => client.publish("secret", "x"),
    'client "gauge" was denied something: it may not publish to "secret" (0x87 Not authorized)',
  ],
  [
    "a rule against subscribing",
    { hooks: { authorizeSubscribe: () => ({ reasonCode: 0x97 }) } },
    async (lab, client) => void (await client.subscribe(lab, "secret/#")),
    'client "gauge" was denied something: it may not subscribe to "secret/#" (0x97 Quota exceeded)',
  ],
  [
    "a full queue",
    { limits: { queueCount: 1, queuePolicy: "disconnect", inflight: 1 } },
    async (lab, client) => {
      await client.subscribe(lab, "t", { qos: 1 });
      for (let i = 0; i < 5; i += 1) {
        lab.broker.publish("t", "x", { qos: 1 });
      }
    },
    'client "gauge" was disconnected: it takes its messages too slowly: its queue is full',
  ],
  [
    "an operator",
    {},
    async (lab) => void lab.broker.disconnect("gauge"),
    'client "gauge" was disconnected: The operator ended its connection',
  ],
];

it.each(cases)("%s", async (_, options, act, line) => {
  const lines = await linesOf(options, act);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(line);
});

it("says nothing of what is in order", async () => {
  const lines = await linesOf({}, async (lab, client) => {
    client.send(publishPacket("t", "x"), { type: PacketType.PINGREQ });
    await lab.settle();
    client.send({ type: PacketType.DISCONNECT, reasonCode: 0, properties: undefined });
    const cut = lab.dial();
    await cut.exchange(lab, connectPacket({ clientId: "other" }));
    cut.cut();
  });
  expect(lines).toEqual([]);
});

it("stays short in a flood of denied messages", async () => {
  const lines = await linesOf({ hooks: { authorizePublish: () => false } }, async (lab, client) => {
    for (let i = 0; i < 500; i += 1) {
      client.publish(`t/${i}/${"x".repeat(1000)}`, "x");
    }
    await lab.advance(10_000);
  });
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toContain("480 more times a client was denied something");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(400);
});
