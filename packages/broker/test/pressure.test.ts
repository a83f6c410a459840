import type { BrokerLimits } from "@tidewire/broker";
import { PacketType, type PubackPacket, type PublishPacket } from "@tidewire/codec";
import { describe, expect, it } from "vitest";
import { ack, connectPacket, Lab, type Peer, subscribePacket } from "./harness.ts";

async function acknowledgeAll(lab: Lab, peer: Peer): Promise<void> {
  for (let done = 0; done < peer.publishes.length; ) {
    const packets = peer.publishes.slice(done).filter(({ qos }) => qos === 1);
    done = peer.publishes.length;
    if (packets.length > 0) {
      await peer.exchange(lab, ...packets.map(({ packetId }: PublishPacket) => ack(PacketType.PUBACK, packetId)));
    }
  }
}

describe("a subscriber that does not read", () => {
  async function stuck(limits: Partial<BrokerLimits>): Promise<{ lab: Lab; slow: Peer; quick: Peer }> {
    const network = { highWaterMark: 4096, lowWaterMark: 1024 };
    const lab = await Lab.start({ limits: { sendAheadBytes: 0, ...limits } }, network);
    const slow = await lab.connect({ clientId: "slow" });
    const quick = await lab.connect({ clientId: "quick" });
    await slow.subscribe(lab, "#");
    await quick.subscribe(lab, "#");
    slow.pause();
    return { lab, slow, quick };
  }

  it("holds nobody up; QoS 0 is dropped and counted, QoS 1 waits and arrives", async () => {
    const { lab, slow, quick } = await stuck({ queueCount: 100 });
    const payload = "x".repeat(100);
    for (let index = 0; index < 300; index += 1) {
      lab.broker.publish(`zero/${index}`, payload);
      await lab.settle();
    }
    for (let index = 0; index < 90; index += 1) {
      lab.broker.publish(`one/${index}`, payload, { qos: 1 });
    }
    await lab.settle();
    await acknowledgeAll(lab, quick);
    expect(quick.publishes.length).toBe(390);
    const { droppedQoS0, droppedQueueFull } = lab.broker.metrics();
    expect(droppedQoS0).toBeGreaterThan(100);
    expect(droppedQueueFull).toBe(0);

    slow.resume();
    await lab.settle();
    await acknowledgeAll(lab, slow);
    const ones = slow.publishes.filter(({ qos }) => qos === 1).map(({ topic }) => topic);
    expect(ones).toEqual(Array.from({ length: 90 }, (_, index) => `one/${index}`));
    expect(slow.publishes.length).toBe(390 - droppedQoS0);
    expect(lab.broker.metrics()).toMatchObject({ queued: 0, queuedBytes: 0 });
  });

  it("is disconnected with 0x97 where the policy says so", async () => {
    const { lab, slow } = await stuck({ queueCount: 10, queuePolicy: "disconnect" });
    for (let index = 0; index < 100; index += 1) {
      lab.broker.publish("t", "x".repeat(100), { qos: 1 });
      await lab.settle();
    }
    slow.resume();
    await lab.settle();
    expect(slow.last(PacketType.DISCONNECT)).toMatchObject({ reasonCode: 0x97 });
    expect(lab.broker.metrics()).toMatchObject({ clients: 1, queued: 0 });
  });
});

describe("a subscriber that does not acknowledge", () => {
  it("has no more in flight than it allows, and still gets QoS 0", async () => {
    const lab = await Lab.start();
    const client = await lab.connect({ properties: { receiveMaximum: 10 } });
    await client.subscribe(lab, "#");
    for (let index = 0; index < 2000; index += 1) {
      lab.broker.publish("one", String(index), { qos: 1 });
    }
    lab.broker.publish("zero", "x");
    await lab.settle();
    expect(client.publishes.filter(({ qos }) => qos === 1).length).toBe(10);
    expect(client.publishes.filter(({ qos }) => qos === 0).length).toBe(1);
    await acknowledgeAll(lab, client);
    expect(client.messages.filter((text) => text.startsWith("one"))).toEqual(
      Array.from({ length: 2000 }, (_, index) => `one=${index}`),
    );
  });

  it("has no more in flight than the broker allows", async () => {
    const lab = await Lab.start({ limits: { inflight: 5 } });
    const client = await lab.connect({ version: 4 });
    await client.subscribe(lab, "#");
    for (let index = 0; index < 20; index += 1) {
      lab.broker.publish("t", "x", { qos: 1 });
    }
    await lab.settle();
    expect(client.publishes.length).toBe(5);
    await acknowledgeAll(lab, client);
    expect(client.publishes.length).toBe(20);
  });
});

describe("limits", () => {
  const cases: [string, Partial<BrokerLimits>, (lab: Lab, peer: Peer) => Promise<void>][] = [
    [
      "topic length and depth: 0x90",
      { topicLength: 10, topicLevels: 3 },
      async (lab, peer) => {
        for (const topic of ["a".repeat(11), "a/b/c/d"]) {
          peer.publish(topic, "x", { qos: 1, packetId: 5 });
          await lab.settle();
          expect(peer.last(PacketType.PUBACK)).toMatchObject({ packetId: 5, reasonCode: 0x90 });
        }
        expect(await peer.subscribe(lab, "a/b/c/#")).toMatchObject({ reasonCodes: [0x97] });
      },
    ],
    [
      "filters in one SUBSCRIBE: the rest gets 0x97",
      { filtersPerSubscribe: 2 },
      async (lab, peer) => {
        await peer.exchange(lab, subscribePacket(1, [{ filter: "a" }, { filter: "b" }, { filter: "c" }]));
        expect(peer.last(PacketType.SUBACK)).toMatchObject({ reasonCodes: [2, 2, 0x97] });
      },
    ],
    [
      "subscriptions of a session: 0x97, replacing is free",
      { subscriptionsPerSession: 1 },
      async (lab, peer) => {
        expect(await peer.subscribe(lab, "a")).toMatchObject({ reasonCodes: [2] });
        expect(await peer.subscribe(lab, "b")).toMatchObject({ reasonCodes: [0x97] });
        expect(await peer.subscribe(lab, "a", { qos: 1 })).toMatchObject({ reasonCodes: [1] });
      },
    ],
    [
      "retained messages by count and bytes: 0x97",
      { retainedCount: 2, retainedBytes: 10 },
      async (lab, peer) => {
        const codes: number[] = [];
        for (const [topic, payload] of [
          ["a", "12345"],
          ["b", "123456"],
          ["b", "12345"],
          ["c", "1"],
          ["a", ""],
          ["c", "1"],
        ] as const) {
          peer.publish(topic, payload, { qos: 1, retain: true, packetId: 5 });
          await lab.settle();
          codes.push((peer.last(PacketType.PUBACK) as PubackPacket).reasonCode);
        }
        expect(codes).toEqual([0x10, 0x97, 0x10, 0x97, 0x10, 0x10]);
        expect(lab.broker.metrics()).toMatchObject({ retained: 2, retainedRefused: 2 });
      },
    ],
    [
      "unanswered messages of a client: 0x93",
      { receiveMaximum: 2 },
      async (lab, peer) => {
        for (const packetId of [1, 2, 3]) {
          peer.publish("t", "x", { qos: 2, packetId });
        }
        await lab.settle();
        expect(peer.last(PacketType.DISCONNECT)).toMatchObject({ reasonCode: 0x93 });
      },
    ],
    [
      "packet size: 0x95",
      { maximumPacketSize: 200 },
      async (lab, peer) => {
        peer.publish("t", "x".repeat(200));
        await lab.settle();
        expect(peer.last(PacketType.DISCONNECT)).toMatchObject({ reasonCode: 0x95 });
      },
    ],
    [
      "topic aliases: 0x94",
      { topicAliasMaximum: 2 },
      async (lab, peer) => {
        peer.publish("t", "x", { properties: { topicAlias: 3 } });
        await lab.settle();
        expect(peer.last(PacketType.DISCONNECT)).toMatchObject({ reasonCode: 0x94 });
      },
    ],
  ];

  it.each(cases)("of %s", async (_name, limits, check) => {
    const lab = await Lab.start({ limits });
    const bystander = await lab.connect({ clientId: "bystander" });
    await check(lab, await lab.connect({ clientId: "peer" }));
    lab.broker.disconnect("peer");
    expect(await bystander.subscribe(lab, "b")).toMatchObject({ reasonCodes: [2] });
  });

  it("of connections: 0x97, in 3.x return code 3, and room again for whoever comes when all leave at once", async () => {
    const lab = await Lab.start({ limits: { connections: 2 } });
    const all = [await lab.connect({ clientId: "one" }), await lab.connect({ clientId: "two" })];
    expect((await lab.connect({ clientId: "three" })).connack.reasonCode).toBe(0x97);
    expect((await lab.connect({ clientId: "three", version: 4 })).connack.reasonCode).toBe(3);
    expect(lab.broker.metrics()).toMatchObject({ connections: 2, connectionsRefused: 2 });
    // Accepted before their old connections are known to be gone.
    const back = all.map((peer) => {
      const next = lab.dial();
      peer.cut();
      return next;
    });
    await lab.settle();
    for (const [index, peer] of back.entries()) {
      await peer.exchange(lab, connectPacket({ clientId: `back ${index}` }));
      expect(peer.connack.reasonCode).toBe(0);
    }
  });

  it("of silent connections: the oldest of the address with the most of them makes room", async () => {
    const lab = await Lab.start({ limits: { silentConnections: 4 } });
    const client = await lab.connect({ clientId: "client" });
    const heavy = [1, 2, 3].map((port) => lab.dial(5, `10.0.0.1:${port}`));
    const light = lab.dial(5, "10.0.0.2:1");
    const newcomers = [3, 4].map((port) => lab.dial(5, `10.0.0.${port}:1`));
    await lab.settle();
    expect([...heavy, light, ...newcomers].map(({ closed }) => closed)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    await newcomers[1]!.exchange(lab, connectPacket({ clientId: "newcomer" }));
    expect(newcomers[1]!.connack.reasonCode).toBe(0);
    expect(client.closed).toBe(false);
    expect(lab.broker.metrics()).toMatchObject({ connectionsEvicted: 2, connections: 5 });
  });

  it("of the size of CONNECT hold before and not after it", async () => {
    const lab = await Lab.start({ limits: { connectPacketSize: 100 } });
    const large = lab.dial();
    await large.exchange(lab, connectPacket({ clientId: "x".repeat(120) }));
    expect(large.closed).toBe(true);
    const client = await lab.connect({ clientId: "x" });
    client.publish("t", "x".repeat(1000), { qos: 1 });
    await lab.settle();
    expect(client.last(PacketType.PUBACK)).toMatchObject({ reasonCode: 0x10 });
  });

  it("of connects and of failures by address: 0x9F for that address alone, until time has passed", async () => {
    const hooks = { authenticate: ({ username }: { username: string | undefined }) => username !== "wrong" };
    const limits = { connectsPerSecondPerAddress: 3, failuresPerMinutePerAddress: 2 };
    const lab = await Lab.start({ hooks, limits });
    const from = async (address: string, username: string): Promise<number> => {
      const peer = lab.dial(5, address);
      await peer.exchange(lab, connectPacket({ clientId: "", username }));
      return peer.connack.reasonCode;
    };
    const codes: number[] = [];
    for (const username of ["a", "a", "a", "a"]) {
      codes.push(await from("[2001:db8::1]:1", username));
    }
    expect(codes).toEqual([0, 0, 0, 0x9f]);
    // Its neighbour in the same block of addresses is the same; another block is not.
    expect(await from("[2001:db8::2]:1", "a")).toBe(0x9f);
    expect(await from("[2001:db8:0:1::2]:1", "a")).toBe(0);
    expect([await from("10.0.0.1:1", "wrong"), await from("10.0.0.1:2", "wrong")]).toEqual([0x87, 0x87]);
    expect([await from("10.0.0.1:3", "right"), await from("10.0.0.2:1", "right")]).toEqual([0x9f, 0]);
    await lab.advance(61_000);
    expect(await from("10.0.0.1:3", "right")).toBe(0);
  });

  it("of connections from one address: 0x9F, and room again when one has gone", async () => {
    const lab = await Lab.start({ limits: { connectionsPerAddress: 1 } });
    const one = await lab.connect({ clientId: "one" });
    expect((await lab.connect({ clientId: "two" })).connack.reasonCode).toBe(0x9f);
    one.cut();
    await lab.settle();
    expect((await lab.connect({ clientId: "two" })).connack.reasonCode).toBe(0);
  });

  it("of the connect rate: 0x9F until the next second", async () => {
    const lab = await Lab.start({ limits: { connectsPerSecond: 2 } });
    const codes: number[] = [];
    for (const clientId of ["one", "two", "three"]) {
      codes.push((await lab.connect({ clientId })).connack.reasonCode);
    }
    expect(codes).toEqual([0, 0, 0x9f]);
    await lab.advance(1000);
    expect((await lab.connect({ clientId: "three" })).connack.reasonCode).toBe(0);
  });

  it("of the time to CONNECT: closed", async () => {
    const lab = await Lab.start({ limits: { connectTimeoutMs: 1000 } });
    const silent = lab.dial();
    await lab.advance(999);
    expect(silent.closed).toBe(false);
    await lab.advance(2);
    expect(silent.closed).toBe(true);
  });

  it("of client identifiers, sessions, session expiry and keep-alive", async () => {
    const limits = { clientIdLength: 5, sessions: 1, sessionExpirySeconds: 10, keepAliveSeconds: 60 };
    const lab = await Lab.start({ limits });
    expect((await lab.connect({ clientId: "abcdef" })).connack.reasonCode).toBe(0x85);
    const client = await lab.connect({ clientId: "one", properties: { sessionExpiryInterval: 0xffffffff } });
    expect(client.connack.properties).toMatchObject({ sessionExpiryInterval: 10, serverKeepAlive: 60 });
    expect((await lab.connect({ clientId: "two" })).connack.reasonCode).toBe(0x97);
    client.cut();
    await lab.advance(11_000);
    expect((await lab.connect({ clientId: "two" })).connack.reasonCode).toBe(0);
  });

  it("of QoS and retain close a 3.1.1 client that cannot have been told", async () => {
    const lab = await Lab.start({ limits: { maximumQoS: 1, retainAvailable: false } });
    const one = await lab.connect({ version: 4, clientId: "one" });
    one.publish("t", "x", { qos: 2 });
    const two = await lab.connect({ version: 4, clientId: "two" });
    two.publish("t", "x", { retain: true });
    await lab.settle();
    expect([one.closed, two.closed]).toEqual([true, true]);
    const will = { topic: "w", payload: new Uint8Array(), qos: 2 as const, retain: false, properties: undefined };
    const three = lab.dial();
    await three.exchange(lab, connectPacket({ will }));
    expect(three.connack.reasonCode).toBe(0x9b);
  });
});

describe("a message that is too large for one receiver", () => {
  it("is dropped for that one, live and queued, and for nobody else", async () => {
    const lab = await Lab.start();
    const options = { clientId: "small", cleanStart: false };
    const small = await lab.connect({ ...options, properties: { maximumPacketSize: 50, sessionExpiryInterval: 60 } });
    const large = await lab.connect({ clientId: "large" });
    await small.subscribe(lab, "t");
    await large.subscribe(lab, "t");
    const publish = (): void => {
      for (const payload of ["1", "x".repeat(100), "2"]) {
        lab.broker.publish("t", payload, { qos: 1 });
      }
    };
    publish();
    await lab.settle();
    expect(small.messages).toEqual(["t=1", "t=2"]);
    expect(large.messages.length).toBe(3);
    small.cut();
    await lab.settle();
    publish();
    const again = await lab.connect({ ...options, properties: { maximumPacketSize: 50, sessionExpiryInterval: 60 } });
    expect(again.messages).toEqual(["t=1", "t=2", "t=1", "t=2"]);
    expect(lab.broker.metrics()).toMatchObject({ droppedTooLarge: 2, queued: 0 });
  });
});
