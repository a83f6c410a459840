import { connect, createClient } from "@tidewire/client";
import { PacketType } from "@tidewire/codec";
import { type MockNetwork, mockNetwork } from "@tidewire/transport-mock";
import { afterEach, expect, test, vi } from "vitest";
import { outcome, setUp, setUpConnected } from "./harness.ts";
import { ack, connack, message, ScriptedServer } from "./scripted-server.ts";

// Whatever the server and the caller do, the client recovers, or says why.

afterEach(() => {
  vi.restoreAllMocks();
});

/** A server that speaks MQTT 3.1.1 alone, and answers any other CONNECT as such servers do. */
function oldServer(network: MockNetwork, answer: readonly number[] = [0x20, 2, 0, 1]) {
  const server = new ScriptedServer(network);
  const versions: number[] = [];
  server.script = (packet, peer) => {
    if (packet.type !== PacketType.CONNECT) {
      return "usual";
    }
    versions.push(packet.version);
    if (packet.version === 4) {
      return "usual";
    }
    peer.connection.send([new Uint8Array(answer)]);
    peer.connection.close();
    return undefined;
  };
  return { server, versions };
}

test("a server that speaks 3.1.1 alone is spoken to in 3.1.1, found out once and remembered", async () => {
  const network = mockNetwork();
  const { server, versions } = oldServer(network);
  const client = createClient(network.dial, { scheduler: network.scheduler, reconnect: { random: () => 0.5 } });
  // Queued before the version is known: what 3.1.1 has no properties for goes without them.
  const published = client.publish("t", "x", { qos: 1, properties: { contentType: "text/plain" } });
  await network.pass(10);
  expect(client.status).toBe("connected");
  expect(await published).toMatchObject({ reasonCode: 0 });
  expect(versions).toEqual([5, 4]);
  network.cut();
  await network.pass(2_000);
  expect(versions).toEqual([5, 4, 4]);
  expect(server.received(PacketType.PUBLISH)).toHaveLength(1);
});

test.each([
  ["the return code", [0x20, 2, 0, 1]],
  ["a return code that MQTT 5 does not know", [0x20, 2, 0, 5]],
  ["an acceptance that is too short", [0x20, 2, 0, 0]],
])("where version 5 was asked for, a server of 3.1.1 is refused for good: %s", async (_, answer) => {
  const network = mockNetwork();
  const { versions } = oldServer(network, answer);
  const connecting = outcome(connect(network.dial, { scheduler: network.scheduler, protocolVersion: 5 }));
  await network.pass(60_000);
  expect(connecting.value).toMatchObject({ code: "refused", reasonCode: 0x84 });
  expect((connecting.value as Error).message).toContain("protocolVersion: 4");
  expect(versions).toEqual([5]);
});

test("a server that speaks neither is refused for good after both were tried", async () => {
  const network = mockNetwork();
  const server = new ScriptedServer(network);
  server.script = (packet) =>
    packet.type === PacketType.CONNECT ? connack({ reasonCode: packet.version === 5 ? 0x84 : 1 }) : "usual";
  const connecting = outcome(connect(network.dial, { scheduler: network.scheduler }));
  await network.pass(60_000);
  expect(connecting.value).toMatchObject({ code: "refused", reasonCode: 0x84 });
  expect(server.received(PacketType.CONNECT).map(({ version }) => version)).toEqual([5, 4]);
});

// Field failure: 20 open QoS 2 messages in 3.1.1, answered by a loop of reconnects.
test("in 3.1.1 no more than 20 messages are in flight, on the first connection and on those after it", async () => {
  const { network, server, client } = setUp({ protocolVersion: 4, cleanStart: false });
  let most = 0;
  const open = new Set<number>();
  server.sessionPresent = true;
  server.script = (packet, peer) => {
    if (packet.type === PacketType.PUBLISH) {
      open.add(packet.packetId);
      most = Math.max(most, open.size);
      if (open.size > 20) {
        peer.connection.abort();
      }
      return ack(PacketType.PUBREC, packet.packetId);
    }
    if (packet.type === PacketType.PUBREL) {
      open.delete(packet.packetId);
    }
    return "usual";
  };
  const published = Array.from({ length: 100 }, (_, i) => client.publish("t", String(i), { qos: 2 }));
  await network.pass(5);
  network.cut();
  await network.pass(60_000);
  await Promise.all(published);
  expect(most).toBeLessThanOrEqual(20);
  expect(server.peers).toHaveLength(2);
});

test("the bound in 3.1.1 is an option, and QoS 0 does not count", async () => {
  const { network, server, client } = await setUpConnected({ protocolVersion: 4, limits: { inFlightBeforeMqtt5: 3 } });
  server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
  for (const qos of [0, 1, 2, 1, 1, 0] as const) {
    void client.publish("t", "", { qos });
  }
  await network.settle();
  expect(server.received(PacketType.PUBLISH).map(({ qos }) => qos)).toEqual([0, 1, 2, 1]);
  server.last.send(ack(PacketType.PUBACK, server.received(PacketType.PUBLISH)[1]!.packetId));
  await network.settle();
  expect(server.received(PacketType.PUBLISH).map(({ qos }) => qos)).toEqual([0, 1, 2, 1, 1, 0]);
});

test("fire and forget: a failure that nobody waits for goes to error, not to the process", async () => {
  const { client, errors } = setUp({ offlineQueue: { maxMessages: 1 } });
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", onUnhandled);
  client.publish("queued", "");
  client.publish("full", "");
  client.publish("", "not valid");
  const waitedFor = client.publish("waited for", "").catch(({ code }) => code);
  client.publish("unreadable", { arrayBuffer: () => Promise.reject(new Error("gone")) });
  void client.close();
  client.publish("closed", "");
  expect(await waitedFor).toBe("queue-full");
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off("unhandledRejection", onUnhandled);
  expect(unhandled).toEqual([]);
  expect(errors.map(({ code, message }) => [code, message.slice(0, message.indexOf(":"))])).toEqual([
    ["queue-full", 'publish("full")'],
    ["invalid-argument", 'publish("")'],
    ["closed", 'publish("queued")'],
    ["closed", 'publish("closed")'],
    ["invalid-argument", 'publish("unreadable")'],
  ]);
});

test("an iteration throws when the server ended the client for good, and finishes when close() did", async () => {
  for (const refused of [true, false]) {
    const { network, server, client } = await setUpConnected();
    const subscribing = client.subscribe("t");
    await network.settle();
    const iterating = (async () => {
      for await (const _ of await subscribing) {
        // None comes.
      }
      return "finished";
    })();
    const end = outcome(iterating);
    await network.settle();
    if (refused) {
      server.last.send({ type: PacketType.DISCONNECT, reasonCode: 0x8e, properties: undefined });
    } else {
      void client.close();
    }
    await network.pass(1_000);
    expect(end.value).toEqual(refused ? expect.objectContaining({ code: "taken-over" }) : "finished");
  }
});

test("close() never rejects, whatever it is given", async () => {
  for (const options of [{ reasonCode: 0x105 }, { reasonCode: -1 }, { sessionExpiryInterval: 2 ** 33 }]) {
    const { network, client, errors } = await setUpConnected();
    const closed = outcome(client.close(options));
    await network.pass(10_000);
    expect(closed.value).toBeUndefined();
    expect(client.status).toBe("closed");
    expect(errors.every(({ code }) => code === "invalid-argument")).toBe(true);
  }
});

test("a client that closed leaves nothing with a signal that lives on", async () => {
  const controller = new AbortController();
  const listen = vi.spyOn(controller.signal, "addEventListener");
  for (let i = 0; i < 20; i += 1) {
    const { network, client } = setUp({ signal: controller.signal });
    await network.settle();
    void client.publish("t", "", { signal: controller.signal });
    void client.close();
    await network.pass(10_000);
  }
  expect(listen).toHaveBeenCalledTimes(1);
  const { network, client } = setUp({ signal: controller.signal });
  await network.settle();
  controller.abort();
  expect(client.status).toBe("closed");
});

test("the scheduler is held from the start of a client to its end", async () => {
  const network = mockNetwork();
  void new ScriptedServer(network);
  let held = 0;
  const hold = () => {
    held += 1;
    return () => {
      held -= 1;
    };
  };
  const client = createClient(network.dial, { scheduler: { ...bound(network.scheduler), hold } });
  await network.settle();
  expect(held).toBe(1);
  void client.close();
  await network.pass(10_000);
  expect(held).toBe(0);
});

function bound(scheduler: MockNetwork["scheduler"]) {
  return {
    now: () => scheduler.now(),
    defer: (callback: () => void) => scheduler.defer(callback),
    setTimer: (callback: () => void, delayMs: number) => scheduler.setTimer(callback, delayMs),
    clearTimer: (handle: unknown) => scheduler.clearTimer(handle as never),
  };
}

test("payloads of every kind are taken, and what is none is refused by name", async () => {
  const { network, server, client } = await setUpConnected();
  const bytes = new Uint8Array([1, 2, 3]);
  const payloads = ["\u0001\u0002\u0003", bytes, bytes.buffer, new DataView(bytes.buffer), new Blob([bytes])];
  const results = payloads.map((payload) => client.publish("t", payload, { qos: 1 }));
  await new Promise((resolve) => setImmediate(resolve));
  await network.settle();
  await Promise.all(results);
  expect(server.received(PacketType.PUBLISH).map(({ payload }) => [...payload])).toEqual(
    Array.from({ length: 5 }, () => [1, 2, 3]),
  );
  for (const payload of [undefined, null, 7, {}]) {
    await expect(client.publish("t", payload as never, { retain: true })).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining('publish("t")'),
    });
  }
});

test("a request that nobody hears ends at once, if asked to", async () => {
  const { network, server, client } = await setUpConnected();
  server.script = (packet) =>
    packet.type === PacketType.PUBLISH ? ack(PacketType.PUBACK, packet.packetId, 0x10) : "usual";
  const request = outcome(client.request("nobody", "", { qos: 1, requireReceiver: true }));
  const patient = outcome(client.request("nobody", "", { qos: 1, timeoutMs: 5_000 }));
  await network.pass(100);
  expect(request.value).toMatchObject({ code: "publish-refused", reasonCode: 0x10 });
  expect(patient.value).toBe("pending");
  await network.pass(5_000);
  expect(patient.value).toMatchObject({ code: "timeout" });
  server.last.send(message("late"));
});

// A page that sleeps, or a laptop: the socket is open and dead, and nothing tells.
test("back from sleep, a connection that is dead is noticed within three seconds, and one that lives stays", async () => {
  const listeners = new Map<string, Set<() => void>>();
  const document = {
    hidden: false,
    addEventListener: (event: string, listener: () => void) => {
      listeners.set(event, (listeners.get(event) ?? new Set()).add(listener));
    },
    removeEventListener: (event: string, listener: () => void) => listeners.get(event)?.delete(listener),
  };
  vi.stubGlobal("document", document);
  const { network, server, client } = await setUpConnected({ keepAlive: 60 });
  const fire = (event: string) => {
    for (const listener of listeners.get(event) ?? []) {
      listener();
    }
  };
  fire("visibilitychange");
  await network.pass(3_500);
  expect(server.peers).toHaveLength(1);
  expect(server.received(PacketType.PINGREQ)).toHaveLength(1);
  server.script = (packet) => (packet.type === PacketType.PINGREQ ? undefined : "usual");
  document.hidden = true;
  fire("visibilitychange");
  await network.pass(3_500);
  expect(server.received(PacketType.PINGREQ)).toHaveLength(1);
  document.hidden = false;
  fire("visibilitychange");
  fire("pageshow");
  fire("resume");
  await network.pass(2_999);
  expect(client.status).toBe("connected");
  expect(server.received(PacketType.PINGREQ)).toHaveLength(2);
  await network.pass(1);
  expect(client.status).not.toBe("connected");
  // The user is there: no wait for the next attempt.
  fire("visibilitychange");
  await network.pass(5);
  expect(client.status).toBe("connected");
  void client.close();
  await network.pass(10_000);
  expect([...listeners.values()].map(({ size }) => size)).toEqual([0, 0, 0, 0]);
  vi.unstubAllGlobals();
});

test("checkConnection resolves when the server answers, and rejects when it does not or there is no connection", async () => {
  const { network, server, client } = await setUpConnected();
  const alive = outcome(client.checkConnection());
  await network.settle();
  expect(alive.value).toBeUndefined();
  server.script = (packet) => (packet.type === PacketType.PINGREQ ? undefined : "usual");
  const dead = outcome(client.checkConnection({ timeoutMs: 500 }));
  await network.pass(499);
  expect(dead.value).toBe("pending");
  await network.pass(1);
  expect(dead.value).toMatchObject({ code: "connection-lost" });
  const none = outcome(client.checkConnection());
  await Promise.resolve();
  expect(none.value).toMatchObject({ code: "connection-lost" });
});

test("a message that comes after the question is an answer too", async () => {
  const { network, server, client } = await setUpConnected();
  server.script = (packet) => (packet.type === PacketType.PINGREQ ? undefined : "usual");
  client.checkConnection({ timeoutMs: 500 }).catch(() => {});
  await network.pass(400);
  server.last.send(message("t"));
  await network.pass(1_000);
  expect(client.status).toBe("connected");
});

test("reconnect() connects anew at once, from a connection and from a wait", async () => {
  const { network, server, client } = await setUpConnected({ reconnect: { minDelayMs: 60_000, random: () => 0.9 } });
  client.reconnect();
  await network.pass(10);
  expect([client.status, server.peers.length]).toEqual(["connected", 2]);
  network.cut();
  await network.pass(1_000);
  expect(client.status).toBe("reconnecting");
  client.reconnect();
  await network.pass(10);
  expect([client.status, server.peers.length]).toEqual(["connected", 3]);
  network.cut();
  await network.pass(1_000);
  expect(client.status).toBe("reconnecting");
});

// Field failure: mosquitto 2.0.11 above Receive Maximum, answered by a loop of reconnects.
test("a server that sends more messages than it was told by default is put up with, up to a bound, and told of once", async () => {
  const { network, server, client, errors } = await setUpConnected();
  let count = 0;
  void client.subscribe("t", {
    acknowledge: "manual",
    onMessage: () => {
      count += 1;
    },
  });
  await network.settle();
  const send = (from: number, to: number) => {
    const packets = Array.from({ length: to - from }, (_, i) => message("t", { qos: 1, packetId: from + i }));
    server.last.sendTogether(...packets);
    return network.pass(100);
  };
  await send(1, 2_001);
  expect(count).toBe(2_000);
  expect(errors.map(({ code }) => code)).toEqual(["receive-maximum-exceeded"]);
  await send(2_001, 1_024 + 4_096 + 1);
  expect(client.connected).toBe(true);
  expect(errors).toHaveLength(1);
  await send(1_024 + 4_096 + 1, 1_024 + 4_096 + 2);
  expect(server.peers[0]!.received(PacketType.DISCONNECT)).toMatchObject([{ reasonCode: 0x93 }]);
});

test("a Receive Maximum that the caller set is held to", async () => {
  const { network, server, client } = await setUpConnected({ limits: { receiveMaximum: 2 } });
  void client.subscribe("t", { acknowledge: "manual", onMessage: () => {} });
  await network.settle();
  server.last.send(...[1, 2, 3].map((packetId) => message("t", { qos: 1, packetId })));
  await network.settle();
  expect(server.peers[0]!.received(PacketType.DISCONNECT)).toMatchObject([{ reasonCode: 0x93 }]);
});
