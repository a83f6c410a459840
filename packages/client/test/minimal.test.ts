import type { ClientError } from "@tidewire/client";
import { connect, type MinimalClient, type MinimalOptions } from "@tidewire/client/minimal";
import { PacketType } from "@tidewire/codec";
import { type MockNetwork, mockNetwork } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import { outcome, text } from "./harness.ts";
import { mockWebSocket } from "./mock-web-socket.ts";
import { ack, connack, disconnect, message, ScriptedServer } from "./scripted-server.ts";

const url = "ws://server.example/mqtt";

function connectTo(network: MockNetwork, options: MinimalOptions = {}): Promise<MinimalClient> {
  return connect(url, { clientId: "c", scheduler: network.scheduler, WebSocket: mockWebSocket(network), ...options });
}

async function setUp(options?: MinimalOptions, prepare: (server: ScriptedServer) => void = () => {}) {
  const network = mockNetwork();
  const server = new ScriptedServer(network);
  prepare(server);
  const ends: ClientError[] = [];
  const messages: string[] = [];
  const connecting = connectTo(network, {
    onClose: (error) => ends.push(error),
    onMessage: ({ topic, payload }) => messages.push(`${topic} ${text(payload)}`),
    ...options,
  });
  await network.settle();
  return { network, server, ends, messages, client: await connecting };
}

for (const protocolVersion of [4, 5] as const) {
  test(`connects, publishes, subscribes, unsubscribes and closes (version ${protocolVersion})`, async () => {
    const { network, server, ends, messages, client } = await setUp({ protocolVersion, username: "u", password: "p" });
    client.publish("t", "hello", { retain: true });
    const subscribing = outcome(client.subscribe("a/#"));
    await network.settle();
    expect(subscribing.value).toBeUndefined();
    server.last.send(message("a/b"), message("a/c"));
    const unsubscribing = outcome(client.unsubscribe("a/#"));
    await network.settle();
    expect(unsubscribing.value).toBeUndefined();
    expect(messages).toEqual(["a/b x", "a/c x"]);
    const closing = outcome(client.close());
    await network.settle();
    expect(closing.value).toBeUndefined();
    expect(ends).toMatchObject([{ code: "closed" }]);
    expect(server.last.packets).toMatchObject([
      { type: PacketType.CONNECT, cleanStart: true, username: "u" },
      { type: PacketType.PUBLISH, topic: "t", qos: 0, retain: true },
      { type: PacketType.SUBSCRIBE, subscriptions: [{ filter: "a/#", qos: 0 }] },
      { type: PacketType.UNSUBSCRIBE, filters: ["a/#"] },
      { type: PacketType.DISCONNECT, reasonCode: 0 },
    ]);
    expect(server.last.closed).toBe(true);
  });
}

test("connect rejects when the server refuses, cannot be reached or does not answer", async () => {
  const network = mockNetwork();
  const unreachable = outcome(connectTo(network));
  await network.settle();
  expect(unreachable.value).toMatchObject({ code: "connection-lost" });
  const server = new ScriptedServer(network);
  server.script = (packet) => (packet.type === PacketType.CONNECT ? connack({ reasonCode: 0x87 }) : "usual");
  const refused = outcome(connectTo(network));
  await network.settle();
  expect(refused.value).toMatchObject({ code: "refused", reasonCode: 0x87 });
  server.script = () => undefined;
  const silent = outcome(connectTo(network));
  await network.pass(31_000);
  expect(silent.value).toMatchObject({ code: "timeout" });
  await expect(connectTo(network, { keepAlive: -1 })).rejects.toMatchObject({ code: "invalid-argument" });
});

test("what cannot be sent throws, and the connection goes on", async () => {
  const { network, server, client } = await setUp({}, (server) => {
    server.connackProperties = { retainAvailable: false, maximumPacketSize: 100 };
  });
  expect(() => client.publish("a/#", "")).toThrow(expect.objectContaining({ code: "topic-has-wildcard" }));
  expect(() => client.publish("t", "", { retain: true })).toThrow(
    expect.objectContaining({ code: "not-supported-by-server" }),
  );
  expect(() => client.publish("t", new Uint8Array(200))).toThrow(expect.objectContaining({ code: "packet-too-large" }));
  const refused = outcome(client.subscribe("a/#/b"));
  server.script = (packet) =>
    packet.type === PacketType.SUBSCRIBE
      ? { type: PacketType.SUBACK, packetId: packet.packetId, reasonCodes: [0x80], properties: undefined }
      : "usual";
  const denied = outcome(client.subscribe("a"));
  await network.settle();
  expect(refused.value).toMatchObject({ code: "filter-malformed" });
  expect(denied.value).toMatchObject({ code: "subscribe-refused", reasonCode: 0x80 });
  client.publish("t", "");
  await network.settle();
  expect(server.received(PacketType.PUBLISH)).toHaveLength(1);
});

test("a full connection refuses more", async () => {
  const { network, client } = await setUp();
  network.stall();
  const publish = () => {
    for (let i = 0; i < 10; i += 1) {
      client.publish("t", new Uint8Array(60_000));
    }
  };
  expect(publish).toThrow(expect.objectContaining({ code: "queue-full" }));
});

test("the end of the connection is told once, rejects what waits, and refuses the rest", async () => {
  const { network, server, ends, client } = await setUp();
  server.script = () => undefined;
  const waiting = outcome(client.subscribe("t"));
  await network.settle();
  server.last.send(disconnect(0x8b));
  await network.settle();
  expect(ends).toMatchObject([{ code: "refused", reasonCode: 0x8b }]);
  expect(waiting.value).toMatchObject({ code: "refused" });
  expect(() => client.publish("t", "")).toThrow(expect.objectContaining({ code: "refused" }));
  await expect(client.subscribe("t")).rejects.toMatchObject({ code: "refused" });
  await client.close();
  expect(ends).toHaveLength(1);
});

test("a dead connection is noticed", async () => {
  const { network, server, ends } = await setUp({ keepAlive: 10 });
  await network.pass(25_000);
  expect(server.received(PacketType.PINGREQ)).toHaveLength(2);
  server.script = () => undefined;
  await network.pass(30_000);
  expect(ends).toMatchObject([{ code: "connection-lost" }]);
});

test.each([
  ["a QoS that was not asked for", message("t", { qos: 1, packetId: 1 })],
  ["a topic alias", message("t", { properties: { topicAlias: 1 } })],
  ["an acknowledgement of nothing", ack(PacketType.PUBACK, 1)],
  ["a second CONNACK", connack()],
])("a server that breaks the protocol is told so: %s", async (_, packet) => {
  const { network, server, ends, messages } = await setUp();
  server.last.send(packet);
  await network.settle();
  expect(server.received(PacketType.DISCONNECT)).toMatchObject([{ reasonCode: 0x82 }]);
  expect(ends).toMatchObject([{ code: "connection-lost", reasonCode: 0x82 }]);
  expect(messages).toEqual([]);
});

test("a callback that throws breaks nothing", async () => {
  let calls = 0;
  const { network, server, ends } = await setUp({
    onMessage: () => {
      calls += 1;
      if (calls === 1) {
        throw new Error("callback");
      }
    },
  });
  const log = console.error;
  const logged: unknown[] = [];
  console.error = (error) => logged.push(error);
  server.last.sendTogether(message("t"), message("t"));
  await network.settle();
  console.error = log;
  expect(logged).toHaveLength(1);
  expect(calls).toBe(2);
  expect(ends).toEqual([]);
});
