import type { PublishResult, QueueOptions } from "@tidewire/client";
import { PacketType } from "@tidewire/codec";
import { mockNetwork } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import { newClient, outcome, setUp, setUpConnected, text } from "./harness.ts";
import { ack, ScriptedServer } from "./scripted-server.ts";

for (const protocolVersion of [4, 5] as const) {
  test(`publish settles when the QoS contract is fulfilled (version ${protocolVersion})`, async () => {
    const { network, server, client } = await setUpConnected({ protocolVersion });
    const settled: number[] = [];
    for (const qos of [0, 1, 2] as const) {
      void client.publish("t", `qos ${qos}`, { qos }).then(() => settled.push(qos));
    }
    await Promise.resolve();
    expect(settled).toEqual([0]);
    await network.settle();
    expect(settled).toEqual([0, 1, 2]);
    const published = server.received(PacketType.PUBLISH);
    expect(published.map(({ qos, payload }) => [qos, text(payload)])).toEqual([
      [0, "qos 0"],
      [1, "qos 1"],
      [2, "qos 2"],
    ]);
  });
}

test("the server's reason code comes with the result, and from 0x80 as a rejection", async () => {
  const { network, server, client } = await setUpConnected();
  server.script = (packet) =>
    packet.type === PacketType.PUBLISH
      ? ack(
          packet.qos === 2 ? PacketType.PUBREC : PacketType.PUBACK,
          packet.packetId,
          packet.topic === "no" ? 0x87 : 0x10,
        )
      : "usual";
  const results = [
    outcome(client.publish("yes", "", { qos: 1 })),
    outcome(client.publish("no", "", { qos: 1 })),
    outcome(client.publish("no", "", { qos: 2 })),
  ];
  await network.settle();
  expect(results.map(({ value }) => value)).toMatchObject([
    { reasonCode: 0x10 },
    { code: "publish-refused", reasonCode: 0x87 },
    { code: "publish-refused", reasonCode: 0x87 },
  ]);
});

test("invalid topics and properties are refused, connected or not, and nothing is sent", async () => {
  const { network, server, client } = setUp();
  const attempts = () => [
    outcome(client.publish("a/#", "", { qos: 1 })),
    outcome(client.publish("", "")),
    outcome(client.publish("a\0b", "", { qos: 2 })),
    outcome(client.publish("a", "", { qos: 1, properties: { sessionExpiryInterval: 1 } })),
  ];
  const offline = attempts();
  await network.settle();
  const online = attempts();
  await network.settle();
  for (const { value } of [...offline, ...online]) {
    expect(value).toMatchObject({ code: "invalid-argument" });
  }
  expect(server.received(PacketType.PUBLISH)).toHaveLength(0);
  const after = outcome(client.publish("a", "", { qos: 1 }));
  await network.settle();
  expect(after.value).toMatchObject({ reasonCode: 0 });
});

test("messages published offline are queued and leave in order with the first connection", async () => {
  const { network, server, client } = setUp();
  const results: Promise<PublishResult>[] = [];
  for (let i = 0; i < 100; i += 1) {
    results.push(client.publish("t", String(i), { qos: (i % 3) as 0 | 1 | 2 }));
  }
  await network.settle();
  await Promise.all(results);
  expect(server.received(PacketType.PUBLISH).map(({ payload }) => text(payload))).toEqual(
    Array.from({ length: 100 }, (_, i) => String(i)),
  );
});

test("the queue is bounded by count and by bytes: 'reject' refuses the new message", async () => {
  const { client } = setUp({ offlineQueue: { maxMessages: 2, maxBytes: 100 } });
  void client.publish("t", "1");
  const big = outcome(client.publish("t", new Uint8Array(99)));
  void client.publish("t", "2");
  const third = outcome(client.publish("t", "3"));
  await Promise.resolve();
  await Promise.resolve();
  expect(big.value).toMatchObject({ code: "queue-full" });
  expect(third.value).toMatchObject({ code: "queue-full" });
});

test("a bound of the queue that is there but undefined is the default", async () => {
  const offlineQueue = { maxMessages: undefined, maxBytes: undefined, policy: undefined } as unknown as QueueOptions;
  const { client } = setUp({ offlineQueue });
  const big = outcome(client.publish("t", new Uint8Array(17 * 1024 * 1024)));
  await Promise.resolve();
  await Promise.resolve();
  expect(big.value).toMatchObject({ code: "queue-full" });
});

test.each([
  ["drop-oldest", ["2", "3"], ["1"]],
  ["drop-newest", ["1", "2"], ["3"]],
] as const)("policy %s: the message that gives way resolves as dropped", async (policy, sent, dropped) => {
  const { network, server, client } = setUp({ offlineQueue: { maxMessages: 2, policy } });
  const results = ["1", "2", "3"].map((payload) => outcome(client.publish("t", payload, { qos: 1 })));
  await network.settle();
  expect(server.received(PacketType.PUBLISH).map(({ payload }) => text(payload))).toEqual(sent);
  for (const payload of dropped) {
    expect(results[Number(payload) - 1]!.value).toMatchObject({ dropped: true });
  }
});

test("policy qos-only: QoS 0 is not queued, and a queue full of QoS 1 and 2 rejects", async () => {
  const { network, server, client } = setUp({ offlineQueue: { maxMessages: 1, policy: "qos-only" } });
  const zero = outcome(client.publish("t", "0"));
  void client.publish("t", "1", { qos: 1 });
  const two = outcome(client.publish("t", "2", { qos: 2 }));
  await network.settle();
  expect(zero.value).toMatchObject({ dropped: true });
  expect(two.value).toMatchObject({ code: "queue-full" });
  expect(server.received(PacketType.PUBLISH)).toHaveLength(1);
});

test("the Message Expiry Interval runs while a message is queued", async () => {
  const network = mockNetwork();
  const client = newClient(network);
  const short = outcome(client.publish("short", "", { qos: 1, properties: { messageExpiryInterval: 5 } }));
  void client.publish("long", "", { qos: 1, properties: { messageExpiryInterval: 60, contentType: "x" } });
  await network.pass(20_000);
  const server = new ScriptedServer(network);
  await network.pass(31_000);
  expect(short.value).toMatchObject({ code: "message-expired" });
  const [sent] = server.received(PacketType.PUBLISH);
  expect(sent).toMatchObject({ topic: "long", properties: { contentType: "x" } });
  expect(sent!.properties!.messageExpiryInterval).toBeLessThanOrEqual(40);
  expect(sent!.properties!.messageExpiryInterval).toBeGreaterThan(5);
});

test("signal and timeout withdraw a message that waits; one that was sent goes on without its caller", async () => {
  const network = mockNetwork();
  const client = newClient(network);
  const abort = new AbortController();
  const aborted = outcome(client.publish("aborted", "", { qos: 1, signal: abort.signal }));
  const late = outcome(client.publish("late", "", { qos: 1, timeoutMs: 100 }));
  const already = outcome(client.publish("never", "", { signal: AbortSignal.abort() }));
  abort.abort();
  await network.pass(200);
  const server = new ScriptedServer(network);
  server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
  await network.pass(2_000);
  expect(aborted.value).toMatchObject({ code: "aborted" });
  expect(already.value).toMatchObject({ code: "aborted" });
  expect(late.value).toMatchObject({ code: "timeout" });
  expect(server.received(PacketType.PUBLISH)).toHaveLength(0);

  const sent = outcome(client.publish("sent", "", { qos: 1, timeoutMs: 100 }));
  await network.pass(200);
  expect(sent.value).toMatchObject({ code: "timeout" });
  server.last.send(ack(PacketType.PUBACK, server.received(PacketType.PUBLISH)[0]!.packetId));
  await network.settle();
  await client.flush();
});

test("what CONNACK rules out is refused with a typed error before anything is sent", async () => {
  const { network, server, client } = await setUpConnected({}, (server) => {
    server.connackProperties = { maximumQoS: 1, retainAvailable: false, maximumPacketSize: 100 };
  });
  const refused = [
    outcome(client.publish("t", "", { qos: 2 })),
    outcome(client.publish("t", "", { retain: true })),
    outcome(client.publish("t", new Uint8Array(100), { qos: 1 })),
  ];
  await network.settle();
  expect(refused.map(({ value }) => value)).toMatchObject([
    { code: "not-supported-by-server", reasonCode: 0x9b },
    { code: "not-supported-by-server", reasonCode: 0x9a },
    { code: "not-supported-by-server", reasonCode: 0x95 },
  ]);
  expect(server.received(PacketType.PUBLISH)).toHaveLength(0);
});

test("what was queued and turns out to be more than the server takes is refused then", async () => {
  const { network, server, client } = setUp();
  server.connackProperties = { maximumQoS: 0 };
  const refused = outcome(client.publish("t", "", { qos: 1 }));
  const fine = outcome(client.publish("t", ""));
  await network.settle();
  expect(refused.value).toMatchObject({ code: "not-supported-by-server" });
  expect(fine.value).toMatchObject({ reasonCode: 0 });
});

test("a message beyond Receive Maximum waits for its turn", async () => {
  const { network, server, client } = await setUpConnected({}, (server) => {
    server.connackProperties = { receiveMaximum: 2 };
    server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
  });
  const results = Array.from({ length: 5 }, (_, i) => outcome(client.publish("t", String(i), { qos: 1 })));
  await network.settle();
  expect(server.received(PacketType.PUBLISH)).toHaveLength(2);
  for (let i = 0; i < 5; i += 1) {
    server.last.send(ack(PacketType.PUBACK, server.received(PacketType.PUBLISH)[i]!.packetId));
    await network.settle();
  }
  expect(server.received(PacketType.PUBLISH)).toHaveLength(5);
  for (const { value } of results) {
    expect(value).toMatchObject({ reasonCode: 0 });
  }
});

test("an await publish loop of QoS 0 is held while the socket is full", async () => {
  const harness = setUp({}, { highWaterMark: 10_000 });
  const { network, server, client } = harness;
  await network.settle();
  network.stall();
  let sent = 0;
  void (async () => {
    for (; sent < 1_000; sent += 1) {
      await client.publish("t", new Uint8Array(100));
    }
  })();
  await network.settle();
  const held = sent;
  expect(held).toBeLessThan(1_000);
  network.unstall();
  await network.settle();
  expect(sent).toBe(1_000);
  expect(server.received(PacketType.PUBLISH)).toHaveLength(1_000);
});

test("drain waits for everything, close rejects what is left", async () => {
  const { network, server, client } = await setUpConnected();
  server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
  const published = outcome(client.publish("t", "", { qos: 1 }));
  const flushed = outcome(client.flush());
  const limited = outcome(client.flush({ timeoutMs: 10 }));
  await network.pass(20);
  expect(flushed.value).toBe("pending");
  expect(limited.value).toMatchObject({ code: "timeout" });
  server.last.send(ack(PacketType.PUBACK, 1));
  await network.settle();
  expect(flushed.value).toBeUndefined();
  expect(published.value).toMatchObject({ reasonCode: 0 });
  const left = outcome(client.publish("t", "", { qos: 1 }));
  const unflushed = outcome(client.flush());
  void client.close();
  await network.settle();
  expect(left.value).toMatchObject({ code: "closed" });
  expect(unflushed.value).toMatchObject({ code: "closed" });
});
