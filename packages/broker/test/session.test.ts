import { createBroker, memoryStore } from "@tidewire/broker";
import { PacketType, type PublishPacket } from "@tidewire/codec";
import { mockNetwork } from "@tidewire/transport-mock";
import { describe, expect, it } from "vitest";
import { ack, bytesOf, disconnectPacket, Lab } from "./harness.ts";

const away = { clientId: "away", cleanStart: false, properties: { sessionExpiryInterval: 60 } };

describe("sessions", () => {
  it("end when their time is over, and not before", async () => {
    const lab = await Lab.start();
    const client = await lab.connect(away);
    await client.exchange(lab, disconnectPacket());
    await lab.advance(59_000);
    const again = await lab.connect(away);
    expect(again.connack.sessionPresent).toBe(true);
    await again.exchange(lab, disconnectPacket());
    await lab.advance(61_000);
    expect(lab.broker.metrics()).toMatchObject({ sessions: 0, sessionsExpired: 1 });
    expect((await lab.connect(away)).connack.sessionPresent).toBe(false);
  });

  it("are taken over: the older connection gets 0x8E and closes, the newer has the session", async () => {
    const lab = await Lab.start();
    const older = await lab.connect(away);
    await older.subscribe(lab, "a");
    const newer = await lab.connect(away);
    expect(older.last(PacketType.DISCONNECT)).toMatchObject({ reasonCode: 0x8e });
    expect(older.closed).toBe(true);
    expect(newer.connack.sessionPresent).toBe(true);
    lab.broker.publish("a", "1");
    await lab.settle();
    expect(newer.messages).toEqual(["a=1"]);
    expect(lab.broker.metrics()).toMatchObject({ clients: 1, sessions: 1, takeovers: 1 });
  });

  it("live on from a QoS 2 exchange cut in the middle: PUBREL is asked for again, the message is not", async () => {
    const lab = await Lab.start();
    const client = await lab.connect(away);
    await client.subscribe(lab, "a");
    lab.broker.publish("a", "once", { qos: 2 });
    await lab.settle();
    const { packetId } = client.publishes[0]!;
    await client.exchange(lab, ack(PacketType.PUBREC, packetId));
    client.cut();
    await lab.settle();
    const again = await lab.connect(away);
    expect(again.publishes).toEqual([]);
    expect(again.last(PacketType.PUBREL)).toMatchObject({ packetId });
  });

  it("send again what was not acknowledged, with DUP and before anything newer", async () => {
    const lab = await Lab.start();
    const client = await lab.connect(away);
    await client.subscribe(lab, "a");
    lab.broker.publish("a", "1", { qos: 1 });
    lab.broker.publish("a", "2", { qos: 1 });
    await lab.settle();
    client.cut();
    await lab.settle();
    lab.broker.publish("a", "3", { qos: 1 });
    const again = await lab.connect(away);
    expect(again.messages).toEqual(["a=1", "a=2", "a=3"]);
    expect(again.publishes.map((packet) => packet.dup)).toEqual([true, true, false]);
  });

  it("hold a message that expires while queued no longer than it lives, and say what is left of it", async () => {
    const lab = await Lab.start();
    const client = await lab.connect(away);
    await client.subscribe(lab, "a");
    client.cut();
    await lab.settle();
    lab.broker.publish("a", "short", { qos: 1, properties: { messageExpiryInterval: 5 } });
    lab.broker.publish("a", "long", { qos: 1, properties: { messageExpiryInterval: 30 } });
    await lab.advance(10_000);
    const again = await lab.connect(away);
    expect(again.messages).toEqual(["a=long"]);
    expect(again.publishes[0]!.properties).toEqual({ messageExpiryInterval: 20 });
    expect(lab.broker.metrics()).toMatchObject({ droppedExpired: 1, queued: 0 });
  });

  it("survive their broker in the store: subscriptions, queue, in-flight messages and retained ones", async () => {
    const store = memoryStore();
    const before = await Lab.start({ store });
    const client = await before.connect(away);
    await client.subscribe(before, "a");
    before.broker.publish("a", "in flight", { qos: 1 });
    await before.settle();
    client.cut();
    await before.settle();
    before.broker.publish("a", "queued", { qos: 1, retain: true });
    await before.settle();

    const after = await Lab.start({ store });
    const again = await after.connect(away);
    expect(again.connack.sessionPresent).toBe(true);
    expect(again.messages).toEqual(["a=in flight", "a=queued"]);
    expect(again.publishes[0]!.dup).toBe(true);
    const other = await after.connect({ clientId: "other" });
    await other.subscribe(after, "a");
    expect(other.messages).toEqual(["a=queued"]);
  });
});

describe("after a restart", () => {
  const will = { topic: "will", payload: bytesOf("gone"), qos: 1 as const, retain: false };

  it("waiting goes on from when it began: for expiry, and for wills with a delay", async () => {
    const store = memoryStore();
    const before = await Lab.start({ store });
    const properties = { sessionExpiryInterval: 100 };
    const delayed = { ...will, properties: { willDelayInterval: 50 } };
    const first = await before.connect({ clientId: "first", properties, will: delayed });
    await before.connect({ clientId: "second", properties: { sessionExpiryInterval: 20 } });
    first.cut();
    before.broker.disconnect("second");
    await before.settle();

    // Thirty seconds without a broker.
    const startedAt = 1_700_000_000_000 + 30_000;
    const network = mockNetwork();
    const broker = createBroker({
      scheduler: network.scheduler,
      wallClock: () => startedAt + network.scheduler.now(),
      sysIntervalMs: 0,
      store,
    });
    await broker.start();
    const wills: number[] = [];
    broker.subscribe("will", () => wills.push(network.scheduler.now()));
    expect(broker.metrics().sessions).toBe(1);
    network.scheduler.advance(19_000);
    expect(wills).toEqual([]);
    network.scheduler.advance(2000);
    expect(wills).toEqual([20_000]);
    network.scheduler.advance(48_000);
    expect(broker.metrics().sessions).toBe(1);
    network.scheduler.advance(2000);
    expect(broker.metrics().sessions).toBe(0);
  });

  it("a clock that was set back makes nobody wait longer than was agreed", async () => {
    const store = memoryStore();
    const before = await Lab.start({ store });
    const client = await before.connect({ clientId: "c", properties: { sessionExpiryInterval: 10 } });
    client.cut();
    await before.settle();
    const after = await Lab.start({ store, wallClock: () => 1_000_000_000_000 });
    expect(after.broker.metrics().sessions).toBe(1);
    await after.advance(11_000);
    expect(after.broker.metrics().sessions).toBe(0);
  });
});

describe("wills", () => {
  const will = { topic: "will", payload: bytesOf("gone"), qos: 1 as const, retain: false, properties: undefined };
  const delayed = { ...will, properties: { willDelayInterval: 10 } };

  async function watched(): Promise<{ lab: Lab; messages: () => string[] }> {
    const lab = await Lab.start();
    const seen: string[] = [];
    lab.broker.subscribe("will", ({ payload }) => seen.push(new TextDecoder().decode(payload)));
    return { lab, messages: () => seen };
  }

  it("are published when the connection is lost, and not after DISCONNECT", async () => {
    const { lab, messages } = await watched();
    const polite = await lab.connect({ will });
    await polite.exchange(lab, disconnectPacket());
    expect(messages()).toEqual([]);
    const lost = await lab.connect({ will });
    lost.cut();
    await lab.settle();
    expect(messages()).toEqual(["gone"]);
    const asking = await lab.connect({ will });
    await asking.exchange(lab, disconnectPacket(0x04));
    expect(messages()).toEqual(["gone", "gone"]);
  });

  it("wait for their delay, and do not happen when the client is back before", async () => {
    const { lab, messages } = await watched();
    const first = await lab.connect({ ...away, will: delayed });
    first.cut();
    await lab.advance(9000);
    const second = await lab.connect({ ...away, will: delayed });
    await lab.advance(60_000);
    expect(messages()).toEqual([]);
    second.cut();
    await lab.advance(11_000);
    expect(messages()).toEqual(["gone"]);
  });

  it("happen at the latest when the session ends", async () => {
    const { lab, messages } = await watched();
    const short = await lab.connect({ clientId: "s", will: delayed, properties: { sessionExpiryInterval: 3 } });
    short.cut();
    await lab.advance(4000);
    expect(messages()).toEqual(["gone"]);
    const replaced = await lab.connect({ ...away, will: delayed });
    await lab.connect({ ...away, cleanStart: true });
    expect(replaced.closed).toBe(true);
    expect(messages()).toEqual(["gone", "gone"]);
  });

  it("happen when keep-alive runs out", async () => {
    const { lab, messages } = await watched();
    await lab.connect({ will, keepAlive: 10 });
    await lab.advance(14_000);
    expect(messages()).toEqual([]);
    await lab.advance(2000);
    expect(messages()).toEqual(["gone"]);
    expect(lab.broker.metrics().keepAliveTimeouts).toBe(1);
  });
});

describe("shared subscriptions", () => {
  it("go round, and pass on what a member leaves behind", async () => {
    const lab = await Lab.start();
    const one = await lab.connect({ clientId: "one", properties: { receiveMaximum: 1, sessionExpiryInterval: 60 } });
    const two = await lab.connect({ clientId: "two" });
    await one.subscribe(lab, "$share/g/t");
    await two.subscribe(lab, "$share/g/t");
    for (let index = 0; index < 4; index += 1) {
      lab.broker.publish("t", String(index), { qos: 1 });
    }
    await lab.settle();
    // One's window is full after its first message: the rest goes to whoever can take it.
    expect(one.messages).toEqual(["t=0"]);
    expect(two.messages).toEqual(["t=1", "t=2", "t=3"]);
    one.cut();
    await lab.settle();
    lab.broker.publish("t", "4", { qos: 1 });
    await lab.advance(61_000);
    expect(two.messages).toEqual(["t=1", "t=2", "t=3", "t=4", "t=0"]);
  });

  it("redispatch what was queued for a member that disconnects", async () => {
    const lab = await Lab.start();
    const one = await lab.connect({ clientId: "one", properties: { receiveMaximum: 1, sessionExpiryInterval: 60 } });
    await one.subscribe(lab, "$share/g/t");
    for (let index = 0; index < 4; index += 1) {
      lab.broker.publish("t", String(index), { qos: 1 });
    }
    await lab.settle();
    const two = await lab.connect({ clientId: "two" });
    await two.subscribe(lab, "$share/g/t");
    one.cut();
    await lab.settle();
    expect(one.messages).toEqual(["t=0"]);
    expect(two.messages).toEqual(["t=1", "t=2", "t=3"]);
    expect(lab.broker.metrics().queued).toBe(0);
  });

  it("never give a QoS 2 message whose delivery began to another member", async () => {
    const lab = await Lab.start();
    const one = await lab.connect({ clientId: "one" });
    await one.subscribe(lab, "$share/g/t");
    lab.broker.publish("t", "once", { qos: 2 });
    await lab.settle();
    const two = await lab.connect({ clientId: "two" });
    await two.subscribe(lab, "$share/g/t");
    one.cut();
    await lab.settle();
    expect(two.messages).toEqual([]);
  });
});

describe("retained messages", () => {
  it("come with RETAIN set, deleted by an empty payload, and as often as Retain Handling says", async () => {
    const lab = await Lab.start();
    const client = await lab.connect();
    client.publish("r/1", "one", { retain: true });
    client.publish("r/2", "two", { retain: true });
    client.publish("r/2", "", { retain: true });
    await lab.settle();
    expect(lab.broker.metrics()).toMatchObject({ retained: 1, retainedBytes: 3 });
    await client.subscribe(lab, "r/+", { retainHandling: 1 });
    await client.subscribe(lab, "r/+", { retainHandling: 1 });
    await client.subscribe(lab, "r/#", { retainHandling: 2 });
    expect(client.messages).toEqual(["r/1=one"]);
    expect(client.publishes[0]!.retain).toBe(true);
    await client.subscribe(lab, "r/+", { retainHandling: 0 });
    expect(client.messages).toEqual(["r/1=one", "r/1=one"]);
  });

  it("expire, whether anyone asks or not", async () => {
    const lab = await Lab.start();
    lab.broker.publish("r", "x", { retain: true, properties: { messageExpiryInterval: 10 } });
    await lab.advance(61_000);
    expect(lab.broker.metrics()).toMatchObject({ retained: 0, retainedBytes: 0 });
  });

  it("arrive whole at a client with a small window that comes back in between", async () => {
    const lab = await Lab.start();
    for (let index = 0; index < 50; index += 1) {
      lab.broker.publish(`r/${index}`, "x", { qos: 1, retain: true });
    }
    const options = { ...away, properties: { sessionExpiryInterval: 60, receiveMaximum: 10 } };
    const received = new Set<string>();
    const take = async (packets: PublishPacket[], peer: Awaited<ReturnType<Lab["connect"]>>): Promise<void> => {
      for (const { topic, packetId } of packets) {
        received.add(topic);
        await peer.exchange(lab, ack(PacketType.PUBACK, packetId));
      }
    };
    const first = await lab.connect(options);
    await first.subscribe(lab, "r/#");
    expect(first.publishes.length).toBe(10);
    await take(first.publishes.slice(0, 5), first);
    first.cut();
    await lab.settle();
    const second = await lab.connect(options);
    for (let done = 0; done < second.publishes.length; ) {
      const batch = second.publishes.slice(done);
      done = second.publishes.length;
      await take(batch, second);
    }
    expect(received.size).toBe(50);
  });
});
