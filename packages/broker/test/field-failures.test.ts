import { type BrokerStore, memoryStore, type StoreFailure } from "@tidewire/broker";
import { encode, PacketType, type PublishPacket, type SubackPacket } from "@tidewire/codec";
import { describe, expect, it } from "vitest";
import { ack, bytesOf, connectPacket, disconnectPacket, Lab, type Peer, subscribePacket } from "./harness.ts";

/*
 * Failures of other brokers, seen by running them or told of in their public issues. Each test is named after one.
 */

const persistent = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

/** A durable store whose commits the test decides upon. */
function storeOnDemand(): { store: BrokerStore; commits: { resolve: () => void; reject: (error: Error) => void }[] } {
  const commits: { resolve: () => void; reject: (error: Error) => void }[] = [];
  let staged = false;
  const memory = memoryStore();
  const store: BrokerStore = Object.create(memory, {
    durable: { value: true },
    commit: {
      value: () => {
        if (!staged) {
          return undefined;
        }
        staged = false;
        return new Promise<void>((resolve, reject) => commits.push({ resolve, reject }));
      },
    },
  });
  for (const name of ["putSession", "putSubscription", "enqueue", "putRetained", "inflight"] as const) {
    const original = memory[name].bind(memory) as (...values: unknown[]) => unknown;
    Object.defineProperty(store, name, {
      value: (...values: unknown[]) => {
        staged = true;
        return original(...values);
      },
    });
  }
  for (const name of ["open", "close", "readQueue", "readRetained", "dequeue", "deleteSession"] as const) {
    Object.defineProperty(store, name, { value: (memory[name] as () => unknown).bind(memory) });
  }
  return { store, commits };
}

describe("what goes wrong in the field", () => {
  it("PUBACK before the message is stored: acknowledged, never stored", async () => {
    const { store, commits } = storeOnDemand();
    const lab = await Lab.start({ store });
    const publisher = await lab.connect({ clientId: "publisher" });
    publisher.publish("t", "x", { qos: 1, retain: true });
    await lab.settle();
    expect(commits.length).toBe(1);
    expect(publisher.last(PacketType.PUBACK)).toBeUndefined();
    commits[0]!.resolve();
    await lab.settle();
    expect(publisher.last(PacketType.PUBACK)).toBeDefined();

    publisher.publish("t", "y", { qos: 1, retain: true });
    await lab.settle();
    commits[1]!.reject(new Error("disk full"));
    await lab.settle();
    expect(publisher.received.filter(({ type }) => type === PacketType.PUBACK).length).toBe(1);
    expect(publisher.closed).toBe(true);
    expect(lab.broker.metrics().storeFailures).toBe(1);
  });

  it("a full store: 0x97 in MQTT 5, a closed connection in 3.1.1, nothing acknowledged that is not kept", async () => {
    const store = memoryStore();
    const failure = Object.assign(new Error("full"), { code: "store-full" }) as StoreFailure;
    const lab = await Lab.start({ store: Object.assign(store, { failure }) });
    const five = await lab.connect({ clientId: "five" });
    const four = await lab.connect({ clientId: "four", version: 4 });
    for (const client of [five, four]) {
      client.publish("t", "x", { qos: 1 });
    }
    await lab.settle();
    expect(five.last(PacketType.PUBACK)).toMatchObject({ reasonCode: 0x97 });
    expect(four.last(PacketType.PUBACK)).toBeUndefined();
    expect(four.closed).toBe(true);
  });

  it("one subscriber that stops reading stops every other client; delivery stops after about 100 messages", async () => {
    const lab = await Lab.start({}, { highWaterMark: 2048 });
    const stuck = await lab.connect({ clientId: "stuck" });
    const quick = await lab.connect({ clientId: "quick" });
    const publisher = await lab.connect({ clientId: "publisher" });
    await stuck.subscribe(lab, "t", { qos: 1 });
    await quick.subscribe(lab, "t", { qos: 1 });
    stuck.pause();
    for (let index = 0; index < 1000; index += 1) {
      publisher.publish("t", "x".repeat(100), { qos: 1 });
      await lab.settle();
      const last = quick.publishes.at(-1)!;
      quick.send(ack(PacketType.PUBACK, last.packetId));
    }
    await lab.settle();
    expect(quick.publishes.length).toBe(1000);
    stuck.resume();
    for (let done = 0; done < 1000; ) {
      await lab.settle();
      const packets = stuck.publishes.slice(done);
      expect(packets.length).toBeGreaterThan(0);
      done += packets.length;
      stuck.send(...packets.map(({ packetId }) => ack(PacketType.PUBACK, packetId)));
    }
    expect(stuck.publishes.length).toBe(1000);
  });

  it("2000 unacknowledged messages sent against Receive Maximum 10", async () => {
    const lab = await Lab.start();
    const client = await lab.connect({ properties: { receiveMaximum: 10 } });
    await client.subscribe(lab, "t");
    for (let index = 0; index < 2000; index += 1) {
      lab.broker.publish("t", "x", { qos: index % 2 === 0 ? 1 : 2 });
    }
    await lab.settle();
    expect(client.publishes.length).toBe(10);
  });

  it("a QoS cap ignored on wildcard or overlapping subscriptions", async () => {
    const lab = await Lab.start();
    const client = await lab.connect();
    await client.subscribe(lab, "a/#", { qos: 0 });
    await client.subscribe(lab, "b/+", { qos: 1 });
    await client.subscribe(lab, "b/#", { qos: 0 });
    lab.broker.publish("a/x", "x", { qos: 2 });
    lab.broker.publish("b/x", "x", { qos: 2 });
    await lab.settle();
    expect(client.publishes.map(({ topic, qos }) => `${topic} ${qos}`)).toEqual(["a/x 0", "b/x 1"]);
  });

  it.each(["a+", "+a", "a#", "a/#/b"])("%s accepted as a filter", async (filter) => {
    const lab = await Lab.start();
    const client = await lab.connect();
    const filterBytes = bytesOf(filter);
    const body = [0, 1, 0, 0, filterBytes.length, ...filterBytes, 0];
    client.sendBytes(Uint8Array.from([0x82, body.length, ...body]));
    await lab.settle();
    expect(client.last(PacketType.SUBACK)).toBeUndefined();
    expect(client.closed).toBe(true);
  });

  it("sessionPresent 0 for a session without subscriptions", async () => {
    const lab = await Lab.start();
    const first = await lab.connect(persistent);
    await first.exchange(lab, disconnectPacket());
    expect((await lab.connect(persistent)).connack.sessionPresent).toBe(true);
  });

  it("offline and live messages interleave out of order", async () => {
    const lab = await Lab.start();
    const options = { clientId: "reader", ...persistent };
    const reader = await lab.connect({ ...options, properties: { sessionExpiryInterval: 60, receiveMaximum: 3 } });
    await reader.subscribe(lab, "t", { qos: 1 });
    reader.cut();
    await lab.settle();
    for (let index = 0; index < 10; index += 1) {
      lab.broker.publish("t", String(index), { qos: 1 });
    }
    const again = await lab.connect({ ...options, properties: { sessionExpiryInterval: 60, receiveMaximum: 3 } });
    for (let index = 10; index < 20; index += 1) {
      lab.broker.publish("t", String(index), { qos: 1 });
      await lab.settle();
      const { packetId } = again.publishes[index - 10] as PublishPacket;
      await again.exchange(lab, ack(PacketType.PUBACK, packetId));
    }
    for (let next = 10; next < again.publishes.length; next += 1) {
      await again.exchange(lab, ack(PacketType.PUBACK, (again.publishes[next] as PublishPacket).packetId));
    }
    expect(again.messages).toEqual(Array.from({ length: 20 }, (_, index) => `t=${index}`));
  });

  it("counters leak", async () => {
    const lab = await Lab.start();
    const idle = lab.broker.metrics();
    for (let round = 0; round < 50; round += 1) {
      const client = await lab.connect({ clientId: `c${round}`, version: round % 2 === 0 ? 4 : 5 });
      await client.subscribe(lab, `t/${round}/+`);
      await client.subscribe(lab, "$share/g/t");
      client.publish("t", "x", { qos: 1 });
      await lab.settle();
      if (round % 3 === 0) {
        client.cut();
      } else if (round % 3 === 1) {
        client.sendBytes(Uint8Array.from([0xff, 0]));
      } else {
        client.send(disconnectPacket());
      }
      await lab.settle();
    }
    const { connections, clients, sessions, subscriptions, sharedGroups, queued, queuedBytes } = lab.broker.metrics();
    expect({ connections, clients, sessions, subscriptions, sharedGroups, queued, queuedBytes }).toEqual({
      connections: idle.connections,
      clients: idle.clients,
      sessions: idle.sessions,
      subscriptions: idle.subscriptions,
      sharedGroups: idle.sharedGroups,
      queued: 0,
      queuedBytes: 0,
    });
  });

  it.each(["constructor", "__proto__", "toString", "hasOwnProperty"])(
    "a CONNECT with client id %s kills the process",
    async (name) => {
      const lab = await Lab.start();
      const client = await lab.connect({ clientId: name, username: name });
      await client.subscribe(lab, `${name}/${name}`);
      await client.subscribe(lab, `$share/${name}/+`);
      lab.broker.publish(`${name}/${name}`, "x", { retain: true });
      lab.broker.publish(name, "y", { retain: true });
      await lab.settle();
      expect(client.messages).toEqual([`${name}/${name}=x`, `${name}=y`]);
    },
  );

  it("a will message is lost when the node dies", async () => {
    const store = memoryStore();
    const lab = await Lab.start({ store });
    const will = { topic: "will", payload: bytesOf("gone"), qos: 1 as const, retain: true, properties: undefined };
    // Not even the session outlives its connection, but the will does.
    await lab.connect({ will });
    const after = await Lab.start({ store });
    const client = await after.connect({ clientId: "other" });
    await client.subscribe(after, "will");
    expect(client.messages).toEqual(["will=gone"]);
  });

  it("thousands of topic levels crash the matcher", async () => {
    const lab = await Lab.start();
    const client = await lab.connect();
    await client.subscribe(lab, "#");
    client.publish("/".repeat(60_000), "x", { qos: 1 });
    await lab.settle();
    expect(client.last(PacketType.PUBACK)).toMatchObject({ reasonCode: 0x90 });
    client.sendBytes(encode(subscribePacket(9, [{ filter: "+/".repeat(100) }]), 5));
    await lab.settle();
    expect(client.last(PacketType.SUBACK)).toMatchObject({ reasonCodes: [2] });
  });

  it("65,535 unreleased QoS 2 ids", async () => {
    const lab = await Lab.start({}, { transcript: false });
    const client = await lab.connect({ version: 4, clientId: "greedy" });
    const packets: PublishPacket[] = [];
    for (let packetId = 1; packetId <= 65_535; packetId += 1) {
      packets.push({
        type: PacketType.PUBLISH,
        topic: "t",
        payload: new Uint8Array(),
        qos: 2,
        retain: false,
        dup: false,
        packetId,
        properties: undefined,
      });
    }
    for (let from = 0; from < packets.length; from += 1000) {
      client.send(...packets.slice(from, from + 1000));
    }
    await lab.settle();
    expect(client.received.filter(({ type }) => type === PacketType.PUBREC).length).toBe(65_535);
    const other = await lab.connect({ clientId: "other" });
    expect(other.connack.reasonCode).toBe(0);
  });

  it("10,000 filters in one SUBSCRIBE", async () => {
    const lab = await Lab.start({ limits: { filtersPerSubscribe: 1000 } });
    const client = await lab.connect();
    const filters = Array.from({ length: 10_000 }, (_, index) => ({ filter: `f/${index}/#` }));
    await client.exchange(lab, subscribePacket(1, filters));
    const { reasonCodes } = client.last(PacketType.SUBACK) as SubackPacket;
    expect(reasonCodes.filter((code) => code === 0x97).length).toBe(9000);
    expect(lab.broker.metrics().subscriptions).toBe(1000);
  });

  it("`#` over a million retained messages: sent as the client takes them, while others are served", async () => {
    const count = 30_000;
    const lab = await Lab.start({}, { highWaterMark: 16_384, transcript: false });
    for (let index = 0; index < count; index += 1) {
      lab.broker.publish(`r/${index % 100}/${index}`, "x", { retain: true });
    }
    const reader = await lab.connect({ clientId: "reader" });
    reader.pause();
    reader.send(subscribePacket(1, [{ filter: "#", qos: 0 }]));
    await lab.settle();
    const before = lab.broker.metrics().publishSent;
    expect(before).toBeLessThan(20_000);
    const other = await lab.connect({ clientId: "other" });
    expect(await other.subscribe(lab, "x")).toMatchObject({ reasonCodes: [2] });
    reader.resume();
    await lab.settle();
    expect(reader.publishes.length).toBe(count);
  });

  it("`+/+/+/...` fan-out", async () => {
    const lab = await Lab.start();
    const client = await lab.connect();
    // Every combination of `+` and a literal in 10 levels: the most work a topic of that depth can cause.
    const filters: { filter: string }[] = [];
    for (let bits = 0; bits < 1024; bits += 1) {
      filters.push({ filter: Array.from({ length: 10 }, (_, level) => ((bits >> level) & 1 ? "+" : "a")).join("/") });
    }
    await client.exchange(lab, subscribePacket(1, filters));
    lab.broker.publish(Array(10).fill("a").join("/"), "x");
    await lab.settle();
    expect(client.publishes.length).toBe(1);
  });

  it("bad input: no crash, the right reason code, other clients unaffected", async () => {
    const lab = await Lab.start();
    const bystander = await lab.connect({ clientId: "bystander" });
    await bystander.subscribe(lab, "t");
    const inputs: [string, (peer: Peer) => void, number | undefined][] = [
      ["random bytes", (peer) => peer.sendBytes(Uint8Array.from([0xde, 0x02, 0xbe, 0xef])), undefined],
      ["an HTTP request", (peer) => peer.sendBytes(bytesOf("GET / HTTP/1.1\r\nHost: x\r\n\r\n")), undefined],
      [
        "a second CONNECT",
        (peer) => peer.send(connectPacket({ clientId: "p" }), connectPacket({ clientId: "p" })),
        0x82,
      ],
      [
        "wrong flags",
        (peer) => peer.sendBytes(Uint8Array.from([...encode(connectPacket({ clientId: "p" }), 5), 0x80, 0])),
        0x81,
      ],
    ];
    for (const [name, send, reasonCode] of inputs) {
      const peer = lab.dial();
      send(peer);
      await lab.settle();
      expect(peer.closed, name).toBe(true);
      const disconnect = peer.last(PacketType.DISCONNECT) as { reasonCode: number } | undefined;
      expect(disconnect?.reasonCode, name).toBe(reasonCode);
    }
    lab.broker.publish("t", "x");
    await lab.settle();
    expect(bystander.messages).toEqual(["t=x"]);
  });
});
