import type { ClientError, Message } from "@tidewire/client";
import { PacketType, type Properties } from "@tidewire/codec";
import { mockNetwork } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import { newClient, outcome, setUp, setUpConnected, text } from "./harness.ts";
import { ack, disconnect, message, type ScriptedPeer, ScriptedServer } from "./scripted-server.ts";

// What other clients got wrong in the field; each name is the failure that must not happen here.

/** Cuts the connection and waits for the next. */
async function reconnect({ network, server }: Awaited<ReturnType<typeof setUp>>): Promise<ScriptedPeer> {
  server.last.connection.abort();
  await network.pass(1_000);
  return server.last;
}

const swallow =
  (...types: number[]) =>
  (packet: { readonly type: number }) =>
    types.includes(packet.type) ? undefined : ("usual" as const);

test("ignores Receive Maximum, Maximum Packet Size, Maximum QoS, Retain, wildcard or shared availability", async () => {
  const limits: [Properties, (client: Awaited<ReturnType<typeof setUpConnected>>["client"]) => Promise<unknown>][] = [
    [{ maximumPacketSize: 50 }, (client) => client.publish("t", new Uint8Array(50))],
    [{ maximumQoS: 0 }, (client) => client.publish("t", "", { qos: 1 })],
    [{ retainAvailable: false }, (client) => client.publish("t", "", { retain: true })],
    [{ wildcardSubscriptionAvailable: false }, (client) => client.subscribe("a/+")],
    [{ sharedSubscriptionAvailable: false }, (client) => client.subscribe("$share/g/a")],
  ];
  for (const [properties, call] of limits) {
    const { network, server, client } = await setUpConnected({}, (server) => {
      server.connackProperties = properties;
    });
    await expect(call(client)).rejects.toMatchObject({ code: "not-supported-by-server" });
    await network.settle();
    expect(server.last.packets.map(({ type }) => type)).toEqual([PacketType.CONNECT]);
  }
  const { network, server, client } = await setUpConnected({}, (server) => {
    server.connackProperties = { receiveMaximum: 2 };
    server.script = swallow(PacketType.PUBLISH);
  });
  for (let i = 0; i < 51; i += 1) {
    void client.publish("t", "", { qos: 1 });
  }
  await network.settle();
  expect(server.received(PacketType.PUBLISH)).toHaveLength(2);
});

test("resends without DUP; reuses packet ids that are in use", async () => {
  const harness = await setUpConnected({}, (server) => {
    server.sessionPresent = true;
    server.script = swallow(PacketType.PUBLISH);
  });
  for (const qos of [1, 2, 1] as const) {
    void harness.client.publish("t", String(qos), { qos });
  }
  await harness.network.settle();
  const first = harness.server.last.received(PacketType.PUBLISH);
  const again = (await reconnect(harness)).received(PacketType.PUBLISH);
  expect(again.map(({ dup, packetId, qos }) => [dup, packetId, qos])).toEqual(
    first.map(({ packetId, qos }) => [true, packetId, qos]),
  );
  void harness.client.publish("t", "new", { qos: 1 });
  await harness.network.settle();
  const ids = harness.server.last.received(PacketType.PUBLISH).map(({ packetId }) => packetId);
  expect(new Set(ids).size).toBe(4);
  expect(ids).not.toContain(0);
});

test("sends stale acknowledgements on the next connection", async () => {
  const harness = await setUpConnected({}, (server) => {
    server.sessionPresent = true;
  });
  const got: Message[] = [];
  void harness.client.subscribe("t", { qos: 1, acknowledge: "manual", onMessage: (message) => void got.push(message) });
  await harness.network.settle();
  harness.server.last.send(message("t", { qos: 1, packetId: 7 }));
  await harness.network.settle();
  const peer = await reconnect(harness);
  got[0]!.acknowledge();
  await harness.network.settle();
  expect(peer.received(PacketType.PUBACK)).toHaveLength(0);
  // The server sends it again: now the answer is owed, and the consumer is not given the message twice.
  peer.send(message("t", { qos: 1, packetId: 7, dup: true }));
  await harness.network.settle();
  expect(peer.received(PacketType.PUBACK)).toMatchObject([{ packetId: 7 }]);
  expect(got).toHaveLength(1);
});

test("a QoS 2 message that is sent again after a reconnect reaches a slow consumer twice", async () => {
  const harness = await setUpConnected({}, (server) => {
    server.sessionPresent = true;
  });
  const subscribing = harness.client.subscribe("t", { qos: 2 });
  await harness.network.settle();
  const subscription = await subscribing;
  harness.server.last.send(message("t", { qos: 2, packetId: 3 }));
  await harness.network.settle();
  const peer = await reconnect(harness);
  peer.send(message("t", { qos: 2, packetId: 3, dup: true }));
  await harness.network.settle();
  await subscription.next();
  const second = outcome(subscription.next());
  await harness.network.settle();
  expect(second.value).toBe("pending");
  expect(peer.received(PacketType.PUBREC)).toMatchObject([{ packetId: 3 }]);
  expect(peer.received(PacketType.PUBCOMP)).toMatchObject([{ packetId: 3 }]);
});

test("replays PUBREL when sessionPresent is 0", async () => {
  const harness = await setUpConnected();
  harness.server.script = swallow(PacketType.PUBREL);
  const published = outcome(harness.client.publish("t", "", { qos: 2 }));
  await harness.network.settle();
  expect(harness.server.received(PacketType.PUBREL)).toHaveLength(1);
  const peer = await reconnect(harness);
  expect(peer.packets.map(({ type }) => type)).toEqual([PacketType.CONNECT]);
  // The server had taken it over with PUBREC.
  expect(published.value).toMatchObject({ reasonCode: 0 });
});

test("loses what was in flight when sessionPresent is 0, or resends it with DUP", async () => {
  const harness = await setUpConnected({}, (server) => {
    server.script = swallow(PacketType.PUBLISH);
  });
  const published = outcome(harness.client.publish("t", "x", { qos: 1 }));
  await harness.network.settle();
  harness.server.script = () => "usual";
  const peer = await reconnect(harness);
  expect(peer.received(PacketType.PUBLISH)).toMatchObject([{ dup: false, qos: 1 }]);
  expect(published.value).toMatchObject({ reasonCode: 0 });

  const strict = await setUpConnected({ sessionLost: "reject" }, (server) => {
    server.script = swallow(PacketType.PUBLISH);
  });
  const rejected = outcome(strict.client.publish("t", "x", { qos: 2 }));
  await strict.network.settle();
  expect((await reconnect(strict)).received(PacketType.PUBLISH)).toHaveLength(0);
  expect(rejected.value).toMatchObject({ code: "session-lost" });
});

test("replays in flight one at a time and holds connect back (#1086); loses publishes made meanwhile (#2015)", async () => {
  const harness = await setUpConnected({}, (server) => {
    server.sessionPresent = true;
    server.script = swallow(PacketType.PUBLISH);
  });
  const { network, client } = harness;
  for (let i = 0; i < 50; i += 1) {
    void client.publish("t", String(i), { qos: 1 });
  }
  await network.settle();
  let duringReplay: ReturnType<typeof outcome> | undefined;
  client.on("status", (status) => {
    if (status === "connected") {
      duringReplay = outcome(client.publish("t", "live", { qos: 1 }));
    }
  });
  const peer = await reconnect(harness);
  expect(client.connected).toBe(true);
  const again = peer.received(PacketType.PUBLISH).map(({ payload }) => text(payload));
  expect(again).toEqual([...Array.from({ length: 50 }, (_, i) => String(i)), "live"]);
  for (const { packetId } of peer.received(PacketType.PUBLISH)) {
    peer.send(ack(PacketType.PUBACK, packetId));
  }
  await network.settle();
  expect(duringReplay!.value).toMatchObject({ reasonCode: 0 });
});

test.each([true, false])("reorders after a reconnect (#450, #1254), sessionPresent %s", async (sessionPresent) => {
  const harness = await setUpConnected({}, (server) => {
    server.sessionPresent = sessionPresent;
    server.connackProperties = { receiveMaximum: 3 };
    server.script = swallow(PacketType.PUBLISH);
  });
  const { network, server, client } = harness;
  for (let i = 0; i < 10; i += 1) {
    void client.publish("t", String(i), { qos: 1 });
  }
  await network.settle();
  server.last.connection.abort();
  await network.settle();
  for (let i = 10; i < 15; i += 1) {
    void client.publish("t", String(i), { qos: 1 });
  }
  server.script = () => "usual";
  await network.pass(1_000);
  await client.flush();
  expect(server.last.received(PacketType.PUBLISH).map(({ payload }) => text(payload))).toEqual(
    Array.from({ length: 15 }, (_, i) => String(i)),
  );
});

test("the offline queue has no bound", async () => {
  const { client } = setUp();
  const results = Array.from({ length: 65_536 }, () => client.publish("t", "", { qos: 1 }).catch((error) => error));
  await expect(results.at(-1)).resolves.toMatchObject({ code: "queue-full" });
});

test("a promise that never settles (#1987, #816); end() that never calls back (#710, #1033)", async () => {
  const { network, server, client, errors } = await setUpConnected();
  server.script = () => undefined;
  const calls = [
    client.publish("t", "", { qos: 1 }),
    client.publish("t", "", { qos: 2 }),
    client.subscribe("t"),
    client.request("t", ""),
    client.flush(),
  ].map((promise) => outcome<unknown>(promise));
  await network.settle();
  const closed = outcome(client.close());
  await network.pass(10_000);
  expect(closed.value).toBeUndefined();
  for (const { value } of calls) {
    expect(value).toMatchObject({ code: "closed" });
  }
  expect(errors).toEqual([]);
});

test("a fixed reconnect period with no backoff or jitter (#561)", async () => {
  const network = mockNetwork();
  const delays: number[] = [];
  let calls = 0;
  const client = newClient(network, {
    reconnect: {
      random: () => {
        calls += 1;
        return (0.37 * calls) % 1;
      },
    },
  });
  client.on("status", (_status, { retryInMs }) => delays.push(retryInMs!));
  await network.pass(300_000);
  delays.length = Math.min(delays.length, 12);
  expect(new Set(delays).size).toBeGreaterThan(8);
  expect(Math.max(...delays)).toBeGreaterThan(10_000);
  expect(Math.max(...delays)).toBeLessThanOrEqual(30_000);
});

test("reconnects for ever after being taken over (#1668): two clients with one id kick each other", async () => {
  const { network, server, client, errors } = await setUpConnected();
  server.last.send(disconnect(0x8e));
  await network.pass(300_000);
  expect(server.peers).toHaveLength(1);
  expect(client.status).toBe("closed");
  expect(errors).toMatchObject([{ code: "taken-over", reasonCode: 0x8e }]);
});

test("a server that is busy or shuts down is given up", async () => {
  for (const reasonCode of [0x89, 0x8b, 0x97, 0x9f, 0xa0]) {
    const { network, server, client } = await setUpConnected();
    server.last.send(disconnect(reasonCode));
    await network.pass(1_000);
    expect(client.connected).toBe(true);
  }
});

test("a slow message handler starves keep-alive or deadlocks (#1935, #2026, #838)", async () => {
  const { network, server, client } = await setUpConnected({ keepAlive: 10 });
  let handled = 0;
  void client.subscribe("t", {
    qos: 1,
    bufferSize: 4,
    onMessage: async () => {
      // Waits for the server's answer while more messages than the buffer holds have come.
      await client.publish("answer", "", { qos: 1 });
      handled += 1;
    },
  });
  await network.settle();
  server.last.send(...Array.from({ length: 50 }, (_, i) => message("t", { qos: 1, packetId: i + 1 })));
  await network.settle();
  expect(handled).toBe(50);

  const stuck = client.subscribe("stuck", { bufferSize: 2 });
  await network.settle();
  const subscription = await stuck;
  server.last.send(...Array.from({ length: 10 }, () => message("stuck")));
  await network.pass(120_000);
  expect(client.connected).toBe(true);
  expect(server.peers).toHaveLength(1);
  // Nothing is lost: what was not read waited in the connection.
  for (let i = 0; i < 10; i += 1) {
    const next = outcome(subscription.next());
    await network.pass(1);
    expect(next.value).toMatchObject({ value: { topic: "stuck" } });
  }
});

test("an exception in the user's handler disconnects (paho #25, #189)", async () => {
  const { network, server, client, errors } = await setUpConnected();
  const fail = () => {
    throw new Error("mine");
  };
  client.on("message", fail);
  client.on("status", fail);
  void client.subscribe("t", { qos: 1, onMessage: fail });
  void client.subscribe("u", { qos: 1, onMessage: () => Promise.reject(new Error("mine")) });
  await network.settle();
  server.last.send(message("t", { qos: 1, packetId: 1 }), message("u", { qos: 1, packetId: 2 }), message("t"));
  await network.settle();
  expect(client.connected).toBe(true);
  expect(server.last.received(PacketType.PUBACK)).toHaveLength(2);
  expect(errors.map(({ code }: ClientError) => code)).toEqual(Array(6).fill("handler-failed"));
  expect(errors[0]!.cause).toMatchObject({ message: "mine" });
});

test("500 SUBSCRIBE packets for 500 topics after a reconnect", async () => {
  const harness = await setUpConnected();
  const { network, server, client } = harness;
  const all = Promise.all(Array.from({ length: 500 }, (_, i) => client.subscribe(i < 250 ? `a/${i}` : `b/${i}/+/c`)));
  await network.settle();
  await all;
  expect(server.received(PacketType.SUBSCRIBE).length).toBeLessThanOrEqual(4);
  const peer = await reconnect(harness);
  expect(peer.received(PacketType.SUBSCRIBE).length).toBeLessThanOrEqual(4);
  expect(peer.received(PacketType.SUBSCRIBE).flatMap(({ subscriptions }) => subscriptions)).toHaveLength(500);
  // And none when the server still has them.
  server.sessionPresent = true;
  expect((await reconnect(harness)).received(PacketType.SUBSCRIBE)).toHaveLength(0);
});

test("thousands of topics time out (paho #124)", async () => {
  const { network, server, client } = await setUpConnected();
  const all = Promise.all(Array.from({ length: 10_000 }, (_, i) => client.subscribe(`a/${i}`)));
  await network.settle();
  await all;
  expect(server.received(PacketType.SUBSCRIBE).length).toBeLessThanOrEqual(50);
});

test("expired credentials are replayed (#535, #828, #1473)", async () => {
  let token = 0;
  const harness = await setUpConnected({
    credentials: async () => {
      token += 1;
      return { username: "u", password: `${token}` };
    },
  });
  await reconnect(harness);
  await reconnect(harness);
  const passwords = harness.server.received(PacketType.CONNECT).map(({ password }) => text(password!));
  expect(passwords).toEqual(["1", "2", "3"]);
});

test("TLS errors swallowed (#1751, #1908): why a connection could not be made is told", async () => {
  const network = mockNetwork();
  const causes: unknown[] = [];
  const client = newClient(network);
  client.on("status", (_status, { error }) => causes.push(error?.cause));
  await network.settle();
  expect(causes).toMatchObject([{ name: "TransportError", code: "refused" }]);
  new ScriptedServer(network);
  await network.pass(1_000);
  expect(client.connected).toBe(true);
});
