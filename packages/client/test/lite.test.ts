import type { ClientError } from "@tidewire/client";
import { connect, createClient, type LiteClient, type LiteOptions } from "@tidewire/client/lite";
import { encode, PacketType } from "@tidewire/codec";
import { type MockNetwork, mockNetwork } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import { outcome, text } from "./harness.ts";
import { mockWebSocket } from "./mock-web-socket.ts";
import { ack, connack, disconnect, message, ScriptedServer } from "./scripted-server.ts";

interface Harness {
  readonly network: MockNetwork;
  readonly server: ScriptedServer;
  readonly client: LiteClient;
  readonly statuses: string[];
  readonly errors: ClientError[];
}

const url = "ws://server.example/mqtt";

function setUp(options: LiteOptions = {}): Harness {
  const network = mockNetwork({ transcript: false });
  const server = new ScriptedServer(network);
  const statuses: string[] = [];
  const errors: ClientError[] = [];
  const client = createClient(url, {
    clientId: "c",
    scheduler: network.scheduler,
    WebSocket: mockWebSocket(network),
    reconnect: { random: () => 0.5 },
    onStatus: (status) => statuses.push(status),
    onError: (error) => errors.push(error),
    ...options,
  });
  return { network, server, client, statuses, errors };
}

async function setUpConnected(options?: LiteOptions, prepare: (server: ScriptedServer) => void = () => {}) {
  const harness = setUp(options);
  prepare(harness.server);
  await harness.network.settle();
  expect(harness.client.status).toBe("connected");
  return harness;
}

for (const protocolVersion of [4, 5] as const) {
  test(`publish settles when the QoS contract is fulfilled (version ${protocolVersion})`, async () => {
    const { network, server, client } = await setUpConnected({ protocolVersion });
    const settled: number[] = [];
    for (const qos of [0, 1, 2] as const) {
      void client.publish("t", `qos ${qos}`, { qos, properties: {} }).then(() => settled.push(qos));
    }
    await Promise.resolve();
    expect(settled).toEqual([0]);
    await network.settle();
    expect(settled).toEqual([0, 1, 2]);
    expect(server.received(PacketType.PUBLISH).map(({ payload }) => text(payload))).toEqual([
      "qos 0",
      "qos 1",
      "qos 2",
    ]);
  });

  test(`messages find their subscriptions and are acknowledged in order (version ${protocolVersion})`, async () => {
    const all: string[] = [];
    const { network, server, client } = await setUpConnected({
      protocolVersion,
      onMessage: ({ topic }) => all.push(topic),
    });
    const got: string[] = [];
    const subscribing = client.subscribe("a/+", { qos: 2, onMessage: ({ topic, qos }) => got.push(`${topic} ${qos}`) });
    await network.settle();
    expect((await subscribing).granted).toEqual([2]);
    server.last.sendTogether(
      message("a/0"),
      message("a/1", { qos: 1, packetId: 7 }),
      message("b", { qos: 1, packetId: 8 }),
      message("a/2", { qos: 2, packetId: 9 }),
      message("a/2", { qos: 2, packetId: 9, dup: true }),
    );
    await network.settle();
    expect(got).toEqual(["a/0 0", "a/1 1", "a/2 2"]);
    expect(all).toEqual(["a/0", "a/1", "b", "a/2"]);
    const answers = server.last.packets.filter(({ type }) => type >= PacketType.PUBACK && type <= PacketType.PUBCOMP);
    expect(answers.map((packet) => [packet.type, "packetId" in packet && packet.packetId])).toEqual([
      [PacketType.PUBACK, 7],
      [PacketType.PUBACK, 8],
      [PacketType.PUBREC, 9],
      [PacketType.PUBREC, 9],
      [PacketType.PUBCOMP, 9],
      [PacketType.PUBCOMP, 9],
    ]);
  });
}

test("of overlapping subscriptions, the one that the server names gets its copy", async () => {
  const { network, server, client } = await setUpConnected();
  const got: string[] = [];
  void client.subscribe("a/#", { onMessage: () => got.push("a/#") });
  void client.subscribe("a/b", { onMessage: () => got.push("a/b") });
  await network.settle();
  const ids = server.received(PacketType.SUBSCRIBE).map(({ properties }) => properties!.subscriptionIdentifiers!);
  server.last.send(message("a/b", { properties: { subscriptionIdentifiers: ids[1]! } }));
  await network.settle();
  expect(got).toEqual(["a/b"]);
  server.last.send(message("a/b", { properties: { subscriptionIdentifiers: ids.flat() } }), message("a/b"));
  await network.settle();
  expect(got).toEqual(["a/b", "a/#", "a/b", "a/#", "a/b"]);
});

test("what is in flight is sent again on the next connection, in order, with DUP; what is new comes after it", async () => {
  const { network, server, client, statuses } = await setUpConnected({ sessionExpiryInterval: 60 });
  server.sessionPresent = true;
  server.script = (packet) =>
    packet.type === PacketType.PUBLISH || packet.type === PacketType.PUBREL ? undefined : "usual";
  const results = [
    outcome(client.publish("1", "", { qos: 1 })),
    outcome(client.publish("2", "", { qos: 2 })),
    outcome(client.publish("3", "", { qos: 2 })),
  ];
  await network.settle();
  server.last.send(ack(PacketType.PUBREC, 2));
  await network.settle();
  network.cut();
  await network.pass(1);
  server.script = () => "usual";
  results.push(outcome(client.publish("4", "", { qos: 1 })));
  await network.pass(1_000);
  expect(statuses).toEqual(["connected", "reconnecting", "connected"]);
  const [, second] = server.peers;
  const sent = second!.packets.filter(({ type }) => type === PacketType.PUBLISH || type === PacketType.PUBREL);
  expect(
    sent.map((packet) =>
      packet.type === PacketType.PUBLISH ? [packet.topic, packet.packetId, packet.dup] : packet.type,
    ),
  ).toEqual([PacketType.PUBREL, ["1", 1, true], ["3", 3, true], ["4", 4, false], PacketType.PUBREL]);
  expect(results.map(({ value }) => value)).toMatchObject(Array.from({ length: 4 }, () => ({ reasonCode: 0 })));
});

test("a server that lost the session is sent everything anew, and asked for the subscriptions again", async () => {
  const { network, server, client } = await setUpConnected({ sessionExpiryInterval: 60 });
  const got: string[] = [];
  const subscription = outcome(client.subscribe("t", { onMessage: ({ payload }) => got.push(text(payload)) }));
  await network.settle();
  server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
  const results = [outcome(client.publish("1", "", { qos: 1 })), outcome(client.publish("2", "", { qos: 2 }))];
  await network.settle();
  network.cut();
  server.script = () => "usual";
  await network.pass(1_000);
  const second = server.last;
  expect(second.received(PacketType.SUBSCRIBE)[0]?.subscriptions[0]?.filter).toBe("t");
  expect(second.received(PacketType.PUBLISH).map(({ topic, dup }) => [topic, dup])).toEqual([
    ["1", false],
    ["2", false],
  ]);
  expect(results.map(({ value }) => value)).toMatchObject([{ reasonCode: 0 }, { reasonCode: 0 }]);
  second.send(message("t"));
  await network.settle();
  expect(got).toEqual(["x"]);
  expect(subscription.value).toMatchObject({ granted: [1] });
});

test("the server's Receive Maximum is kept, and what waits goes when there is room", async () => {
  const { network, server, client } = await setUpConnected({}, (server) => {
    server.connackProperties = { receiveMaximum: 2 };
    server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
  });
  const results = Array.from({ length: 4 }, (_, i) => outcome(client.publish(String(i), "", { qos: 1 })));
  await network.settle();
  expect(server.received(PacketType.PUBLISH)).toHaveLength(2);
  server.last.send(ack(PacketType.PUBACK, 1));
  await network.settle();
  expect(server.received(PacketType.PUBLISH)).toHaveLength(3);
  expect(results.map(({ value }) => value !== "pending")).toEqual([true, false, false, false]);
});

test("what the server announced not to take is refused before anything is sent", async () => {
  const { network, server, client } = await setUpConnected({}, (server) => {
    server.connackProperties = {
      maximumQoS: 1,
      retainAvailable: false,
      maximumPacketSize: 100,
      wildcardSubscriptionAvailable: false,
      sharedSubscriptionAvailable: false,
    };
  });
  const onMessage = () => {};
  const results = [
    outcome(client.publish("t", "", { qos: 2 })),
    outcome(client.publish("t", "", { retain: true })),
    outcome(client.publish("t", new Uint8Array(200), { qos: 1 })),
    outcome(client.subscribe("a/+", { onMessage })),
    outcome(client.subscribe("$share/g/a", { onMessage })),
  ];
  await network.settle();
  for (const { value } of results) {
    expect(value).toMatchObject({ code: "not-supported-by-server" });
  }
  expect(server.last.packets.map(({ type }) => type)).toEqual([PacketType.CONNECT]);
  // And no identifier is lost by it.
  void client.publish("t", "", { qos: 1 });
  await network.settle();
  expect(server.received(PacketType.PUBLISH)[0]?.packetId).toBeLessThan(4);
});

test("invalid arguments are refused, and the connection goes on", async () => {
  const { network, client } = await setUpConnected();
  const onMessage = () => {};
  const results = [
    outcome(client.publish("a/#", "")),
    outcome(client.publish("", "", { qos: 1 })),
    outcome(client.subscribe("a/#/b", { onMessage })),
    outcome(client.publish("t", "", { properties: { sessionExpiryInterval: 1 } })),
  ];
  await network.settle();
  for (const { value } of results) {
    expect(value).toMatchObject({ code: "invalid-argument" });
  }
  expect(client.status).toBe("connected");
});

test("refusals reject, and free the filter for another try", async () => {
  const { network, server, client } = await setUpConnected();
  server.script = (packet) =>
    packet.type === PacketType.SUBSCRIBE
      ? { type: PacketType.SUBACK, packetId: packet.packetId, reasonCodes: [0x87], properties: undefined }
      : packet.type === PacketType.PUBLISH
        ? ack(packet.qos === 2 ? PacketType.PUBREC : PacketType.PUBACK, packet.packetId, 0x87)
        : "usual";
  const results = [
    outcome(client.publish("t", "", { qos: 1 })),
    outcome(client.publish("t", "", { qos: 2 })),
    outcome(client.subscribe("t", { onMessage: () => {} })),
  ];
  await network.settle();
  expect(results.map(({ value }) => value)).toMatchObject([
    { code: "publish-refused", reasonCode: 0x87 },
    { code: "publish-refused", reasonCode: 0x87 },
    { code: "subscribe-refused", reasonCode: 0x87 },
  ]);
  server.script = () => "usual";
  const again = outcome(client.subscribe("t", { onMessage: () => {} }));
  const twice = outcome(client.subscribe("t", { onMessage: () => {} }));
  await network.settle();
  expect(again.value).toMatchObject({ granted: [1] });
  expect(twice.value).toMatchObject({ code: "invalid-argument" });
});

test("unsubscribing ends it here at once and at the server, over a lost connection as well", async () => {
  const { network, server, client } = await setUpConnected({ sessionExpiryInterval: 60 });
  server.sessionPresent = true;
  const got: string[] = [];
  const subscribing = client.subscribe("t", { onMessage: ({ topic }) => got.push(topic) });
  await network.settle();
  const subscription = await subscribing;
  server.script = (packet) => (packet.type === PacketType.UNSUBSCRIBE ? undefined : "usual");
  const left = outcome(subscription.unsubscribe());
  server.last.send(message("t"));
  await network.settle();
  expect(got).toEqual([]);
  expect(left.value).toBe("pending");
  network.cut();
  server.script = () => "usual";
  await network.pass(1_000);
  expect(server.last.received(PacketType.UNSUBSCRIBE)).toHaveLength(1);
  expect(left.value).toBeUndefined();
  await subscription.unsubscribe();
  expect(server.last.received(PacketType.UNSUBSCRIBE)).toHaveLength(1);
});

test("a call that waits for a connection is sent when there is one", async () => {
  const { network, server, client } = setUp();
  const results = [
    outcome(client.subscribe("t", { onMessage: () => {} })),
    outcome(client.publish("t", "", { qos: 1 })),
  ];
  await network.settle();
  expect(results.map(({ value }) => value)).toMatchObject([{ granted: [1] }, { reasonCode: 0 }]);
  const types = server.last.packets.map(({ type }) => type);
  expect(types).toEqual([PacketType.CONNECT, PacketType.SUBSCRIBE, PacketType.PUBLISH]);
});

test("the queue is bounded", async () => {
  const { client } = setUp({ maximumQueued: 2 });
  const results = Array.from({ length: 3 }, () => outcome(client.publish("t", "")));
  await Promise.resolve();
  expect(results.map(({ value }) => value)).toMatchObject(["pending", "pending", { code: "queue-full" }]);
});

test("a socket that takes no more holds messages back until it does", async () => {
  const { network, server, client } = await setUpConnected();
  network.stall();
  const payload = new Uint8Array(60_000);
  const results = Array.from({ length: 10 }, () => outcome(client.publish("t", payload)));
  await Promise.resolve();
  const handedOver = results.filter(({ value }) => value !== "pending").length;
  expect(handedOver).toBeGreaterThan(1);
  expect(handedOver).toBeLessThan(5);
  network.unstall();
  await network.pass(1_000);
  expect(server.received(PacketType.PUBLISH)).toHaveLength(10);
});

test("keep-alive: a sign of life each time, and the end when nothing comes", async () => {
  const { network, server, client, statuses } = await setUpConnected({ keepAlive: 10 });
  await network.pass(35_000);
  expect(server.received(PacketType.PINGREQ)).toHaveLength(3);
  expect(client.status).toBe("connected");
  server.script = (packet) => (packet.type === PacketType.PINGREQ ? undefined : "usual");
  await network.pass(21_000);
  expect(statuses).toEqual(["connected", "reconnecting", "connected"]);
});

test("a server's own keep-alive holds", async () => {
  const { network, server } = await setUpConnected({ keepAlive: 10 }, (server) => {
    server.connackProperties = { serverKeepAlive: 2 };
  });
  await network.pass(9_000);
  expect(server.received(PacketType.PINGREQ)).toHaveLength(4);
});

test("a server that never answers CONNECT is given up after 30 seconds, and tried again", async () => {
  const { network, server, statuses } = setUp();
  server.script = () => undefined;
  await network.pass(31_000);
  expect(statuses).toEqual(["connecting"]);
  expect(server.peers).toHaveLength(2);
});

test.each([
  ["not authorized", 0x87, "refused"],
  ["taken over", 0x8e, "taken-over"],
])("a refusal for good closes the client: %s", async (_, reasonCode, code) => {
  const { network, server, client, statuses } = await setUpConnected();
  const waiting = outcome(client.publish("t", "", { qos: 1 }));
  server.script = () => undefined;
  server.last.send(disconnect(reasonCode));
  await network.pass(60_000);
  expect(statuses).toEqual(["connected", "closed"]);
  expect(server.peers).toHaveLength(1);
  expect(waiting.value).toMatchObject({ code, reasonCode });
  expect(outcome(client.publish("t", "")).value).toBe("pending");
  await expect(client.publish("t", "")).rejects.toMatchObject({ code: "closed" });
});

test("return codes of MQTT 3.1.1 are told as the reason codes of that meaning", async () => {
  const { network, server } = setUp();
  const refusal = outcome(
    connect(url, { protocolVersion: 4, scheduler: network.scheduler, WebSocket: mockWebSocket(network) }),
  );
  server.script = (packet) =>
    packet.type === PacketType.CONNECT ? connack({ reasonCode: packet.version === 5 ? 0 : 4 }) : "usual";
  await network.settle();
  expect(refusal.value).toMatchObject({ code: "refused", reasonCode: 0x86 });
});

test("connect waits for CONNACK, and gives up after its time limit with the last reason", async () => {
  const network = mockNetwork();
  const options: LiteOptions = {
    scheduler: network.scheduler,
    WebSocket: mockWebSocket(network),
    connectTimeoutMs: 5_000,
  };
  const failing = outcome(connect(url, options));
  await network.pass(6_000);
  expect(failing.value).toMatchObject({ code: "timeout", cause: { code: "connection-lost" } });
  const server = new ScriptedServer(network);
  const connecting = outcome(connect(url, options));
  await network.settle();
  expect(connecting.value).toMatchObject({ status: "connected" });
  await network.pass(60_000);
  expect(server.peers).toHaveLength(1);
});

test.each([
  ["a second CONNACK", [connack()], 0x82],
  ["an acknowledgement of the wrong type", [ack(PacketType.PUBREC, 1)], 0x82],
  ["a topic alias that was not announced", [message("t", { properties: { topicAlias: 1 } })], 0x94],
  ["a session expiry in DISCONNECT", [disconnect(0, { sessionExpiryInterval: 1 })], 0x82],
  ["more than Receive Maximum", [message("t", { qos: 2, packetId: 1 }), message("t", { qos: 2, packetId: 2 })], 0x93],
] as const)("a server that breaks the protocol is told so: %s", async (_, packets, reasonCode) => {
  const { network, server, client, statuses } = await setUpConnected({ properties: { receiveMaximum: 1 } });
  server.script = (packet) =>
    packet.type === PacketType.PUBREC ? undefined : packet.type === PacketType.PUBLISH ? undefined : "usual";
  void client.publish("t", "", { qos: 1 }).catch(() => {});
  await network.settle();
  const [first] = server.peers;
  first!.send(...packets);
  await network.pass(1_000);
  expect(first!.received(PacketType.DISCONNECT)).toMatchObject([{ reasonCode }]);
  expect(statuses.slice(0, 2)).toEqual(["connected", "reconnecting"]);
});

test("callbacks that throw break nothing and are reported", async () => {
  const { network, server, client, errors } = await setUpConnected({
    onStatus: () => {
      throw new Error("status");
    },
  });
  const thrown = new Error("message");
  void client.subscribe("t", {
    onMessage: () => {
      throw thrown;
    },
  });
  await network.settle();
  server.last.send(message("t", { qos: 1, packetId: 1 }));
  await network.settle();
  expect(server.received(PacketType.PUBACK)).toHaveLength(1);
  expect(errors.map(({ code }) => code)).toEqual(["handler-failed", "handler-failed"]);
  expect(errors[1]?.cause).toBe(thrown);
});

test("close says good-bye, ends a session that nobody asked to be kept, and rejects what waits", async () => {
  const { network, server, client } = await setUpConnected();
  server.script = () => undefined;
  const waiting = outcome(client.publish("t", "", { qos: 1 }));
  const closing = outcome(client.close());
  await network.settle();
  expect(closing.value).toBeUndefined();
  expect(waiting.value).toMatchObject({ code: "closed" });
  expect(server.received(PacketType.DISCONNECT)).toMatchObject([
    { reasonCode: 0, properties: { sessionExpiryInterval: 0 } },
  ]);
  await network.pass(60_000);
  expect(server.peers).toHaveLength(1);
});

test("credentials and URL are asked for anew at each attempt, and may fail without ending the client", async () => {
  let asked = 0;
  const network = mockNetwork();
  const errors: unknown[] = [];
  const client = createClient(
    () => {
      asked += 1;
      if (asked === 1) {
        throw new Error("no network");
      }
      return url;
    },
    {
      scheduler: network.scheduler,
      WebSocket: mockWebSocket(network),
      credentials: () => ({ username: `user ${asked}` }),
      onStatus: (_status, error) => error && errors.push(error),
    },
  );
  const server = new ScriptedServer(network);
  await network.pass(2_000);
  expect(client.status).toBe("connected");
  expect(server.received(PacketType.CONNECT)).toMatchObject([{ username: "user 1" }]);
  expect(errors).toMatchObject([{ code: "connection-lost", cause: { message: "no network" } }]);
});

test("options that no server would take close the client", async () => {
  const { network, client, server } = setUp({ keepAlive: 70_000 });
  const waiting = outcome(client.publish("t", ""));
  await network.pass(60_000);
  expect(client.status).toBe("closed");
  expect(waiting.value).toMatchObject({ code: "invalid-argument" });
  expect(server.peers).toHaveLength(0);
});

test("an acknowledgement of what was not sent on this connection changes nothing", async () => {
  const { network, server, client } = await setUpConnected({ sessionExpiryInterval: 60 });
  server.sessionPresent = true;
  server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
  const results = [outcome(client.publish("1", "", { qos: 1 })), outcome(client.publish("2", "", { qos: 1 }))];
  await network.settle();
  network.cut();
  server.connackProperties = { receiveMaximum: 1 };
  await network.pass(1_000);
  expect(server.last.received(PacketType.PUBLISH).map(({ packetId }) => packetId)).toEqual([1]);
  server.last.send(ack(PacketType.PUBACK, 2));
  await network.settle();
  expect(results.map(({ value }) => value)).toEqual(["pending", "pending"]);
  server.last.send(ack(PacketType.PUBACK, 1));
  await network.settle();
  expect(server.last.received(PacketType.PUBLISH).map(({ packetId, dup }) => [packetId, dup])).toEqual([
    [1, true],
    [2, true],
  ]);
});

test("a released message counts against the server's Receive Maximum until its PUBCOMP", async () => {
  const { network, server, client } = await setUpConnected({ sessionExpiryInterval: 60 });
  server.sessionPresent = true;
  server.script = (packet) => (packet.type === PacketType.PUBREL ? undefined : "usual");
  void client.publish("1", "", { qos: 2 });
  await network.settle();
  network.cut();
  server.connackProperties = { receiveMaximum: 1 };
  await network.pass(1_000);
  void client.publish("2", "", { qos: 1 });
  await network.settle();
  expect(server.last.received(PacketType.PUBREL)).toHaveLength(1);
  expect(server.last.received(PacketType.PUBLISH)).toEqual([]);
  server.last.send(ack(PacketType.PUBCOMP, 1));
  await network.settle();
  expect(server.last.received(PacketType.PUBLISH)).toMatchObject([{ topic: "2" }]);
});

test("a QoS 2 message that the next server does not take is taken back there", async () => {
  const { network, server, client } = await setUpConnected({ sessionExpiryInterval: 60 });
  server.sessionPresent = true;
  server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
  const results = [outcome(client.publish("1", "", { qos: 2 })), outcome(client.publish("2", "", { qos: 1 }))];
  await network.settle();
  network.cut();
  server.connackProperties = { maximumQoS: 1 };
  await network.pass(1_000);
  expect(results[0]!.value).toMatchObject({ code: "not-supported-by-server" });
  expect(server.last.received(PacketType.PUBREL)).toMatchObject([{ packetId: 1 }]);
  expect(server.last.received(PacketType.PUBLISH)).toMatchObject([{ topic: "2", dup: true }]);
});

test("an answer of another kind, or with more codes than filters, breaks the protocol", async () => {
  for (const answer of [
    { type: PacketType.UNSUBACK, reasonCodes: [0] },
    { type: PacketType.SUBACK, reasonCodes: [0, 0] },
  ] as const) {
    const { network, server, client } = await setUpConnected();
    server.script = (packet) =>
      packet.type === PacketType.SUBSCRIBE ? { ...answer, packetId: packet.packetId, properties: undefined } : "usual";
    const [first] = server.peers;
    void client.subscribe("t", { onMessage: () => {} }).catch(() => {});
    await network.settle();
    expect(first!.received(PacketType.DISCONNECT)).toMatchObject([{ reasonCode: 0x82 }]);
  }
});

test("a server that lost the session need not be told what nobody wants any more", async () => {
  const { network, server, client } = await setUpConnected({ sessionExpiryInterval: 60 });
  const subscribing = client.subscribe("t", { onMessage: () => {} });
  await network.settle();
  server.script = (packet) => (packet.type === PacketType.UNSUBSCRIBE ? undefined : "usual");
  const left = outcome((await subscribing).unsubscribe());
  await network.settle();
  network.cut();
  await network.pass(1_000);
  expect(left.value).toBeUndefined();
  expect(server.peers[1]!.packets.map(({ type }) => type)).toEqual([PacketType.CONNECT]);
});

test("the wait grows with each failure, and a connection that lasted starts it anew", async () => {
  const { network, server } = setUp({ reconnect: { minDelayMs: 1_000, random: () => 0.999 } });
  server.script = (packet, peer) => {
    peer.connection.close();
    return packet.type === PacketType.CONNECT ? undefined : "usual";
  };
  // Attempts at about 0, 1, 3, 7 and 15 seconds.
  await network.pass(14_000);
  expect(server.peers).toHaveLength(4);
  server.script = () => "usual";
  await network.pass(20_000);
  expect(server.peers).toHaveLength(5);
  network.cut();
  await network.pass(1_100);
  expect(server.peers).toHaveLength(6);
});

test("a client that is closed while its URL is looked up does not connect", async () => {
  const network = mockNetwork();
  const server = new ScriptedServer(network);
  let answer = (_url: string) => {};
  const target = () =>
    new Promise<string>((resolve) => {
      answer = resolve;
    });
  const client = createClient(target, { scheduler: network.scheduler, WebSocket: mockWebSocket(network) });
  await network.settle();
  await client.close();
  answer(url);
  await network.pass(60_000);
  expect(server.peers).toHaveLength(0);
});

test("a subscription that is refused when it is made again is reported; one that ends with the client is not", async () => {
  const { network, server, client, errors } = await setUpConnected({ sessionExpiryInterval: 60 });
  void client.subscribe("a", { onMessage: () => {} });
  void client.subscribe("b", { onMessage: () => {} });
  await network.settle();
  server.script = (packet) => {
    if (packet.type !== PacketType.SUBSCRIBE) {
      return "usual";
    }
    if (packet.subscriptions[0]!.filter === "b") {
      return undefined;
    }
    return { type: PacketType.SUBACK, packetId: packet.packetId, reasonCodes: [0x87], properties: undefined };
  };
  network.cut();
  await network.pass(1_000);
  expect(errors).toMatchObject([{ code: "subscribe-refused", reasonCode: 0x87 }]);
  void client.close();
  await network.settle();
  expect(errors).toHaveLength(1);
});

// Chromium fires no `close` when a Content Security Policy forbids the URL.
test("a WebSocket that fires error without close is an attempt that failed, and the next one follows", async () => {
  const sockets: { onerror?: () => void; close: () => void }[] = [];
  const network = mockNetwork();
  const errors: unknown[] = [];
  const client = createClient("ws://h", {
    scheduler: network.scheduler,
    reconnect: { random: () => 0.5 },
    WebSocket: class {
      readyState = 0;
      close(): void {}
      constructor() {
        sockets.push(this);
      }
    } as unknown as typeof WebSocket,
    onStatus: (_, error) => errors.push(error),
  });
  await network.settle();
  sockets[0]!.onerror!();
  expect(errors).toMatchObject([{ code: "connection-lost" }]);
  await network.pass(1_000);
  expect(sockets).toHaveLength(2);
  void client.close();
});

test("a server that answers as MQTT 3.1.1 does is refused for good, and the error says what to set", async () => {
  for (const [code, reasonCode] of [
    [1, 0x84],
    [0, 0x84],
    [5, 0x87],
  ] as const) {
    const network = mockNetwork({ transcript: false });
    let connections = 0;
    void network.listen((connection) => {
      connections += 1;
      const onData = () => void connection.send([new Uint8Array([0x20, 2, 0, code])]);
      connection.start({ onData, onDrain: () => {}, onClose: () => {} });
    });
    const options = { scheduler: network.scheduler, WebSocket: mockWebSocket(network) };
    const refused = outcome(connect("ws://h", options));
    await network.pass(60_000);
    expect(refused.value).toMatchObject({ code: "refused", reasonCode });
    expect(connections).toBe(1);
    if (reasonCode === 0x84) {
      expect((refused.value as Error).message).toContain("protocolVersion: 4");
    }
  }
});

test("close() resolves within five seconds on a dead line", async () => {
  const network = mockNetwork();
  class Dead {
    static last: Dead;
    readonly OPEN = 1;
    readyState = 1;
    bufferedAmount = 0;
    onopen?: () => void;
    onmessage?: (event: { data: ArrayBuffer }) => void;
    constructor() {
      Dead.last = this;
    }
    send(): void {}
    close(): void {
      this.readyState = 2;
    }
  }
  const connecting = connect("ws://h", {
    scheduler: network.scheduler,
    WebSocket: Dead as unknown as typeof WebSocket,
  });
  await network.settle();
  Dead.last.onmessage!({ data: encode(connack(), 5).slice().buffer });
  const client = await connecting;
  const closed = outcome(client.close());
  await network.pass(4_999);
  expect(closed.value).toBe("pending");
  await network.pass(1);
  expect(closed.value).toBeUndefined();
});

test.each([1, 2, 3])(
  "a server with a Maximum Packet Size of %s ends connections, and throws out of nothing",
  async (size) => {
    const harness = await setUpConnected({ keepAlive: 1 }, (server) => {
      server.connackProperties = { maximumPacketSize: size };
    });
    const { network, server, client } = harness;
    await expect(client.publish("t", "")).rejects.toMatchObject({ code: "not-supported-by-server" });
    server.last.send(message("t", { qos: 1, packetId: 1 }));
    await network.pass(3_000);
    expect(server.peers.length).toBeGreaterThan(1);
    const closed = outcome(client.close());
    await network.pass(5_000);
    expect(closed.value).toBeUndefined();
  },
);

test("the words and properties of a refusal are fields of the error", async () => {
  const properties = { reasonString: "no such tenant", userProperties: [["ticket", "7"]] as [string, string][] };
  const { network, server, statuses } = setUp();
  server.script = (packet) =>
    packet.type === PacketType.CONNECT ? connack({ reasonCode: 0x87, properties }) : "usual";
  const network2 = network;
  const error = outcome(
    connect(url, { scheduler: network2.scheduler, WebSocket: mockWebSocket(network2), clientId: "d" }),
  );
  await network.settle();
  expect(error.value).toMatchObject({ code: "refused", reasonCode: 0x87, ...properties });
  expect(statuses).toEqual(["closed"]);
});
