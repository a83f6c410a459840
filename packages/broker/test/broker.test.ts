import { type ClusterBackend, type ClusterHost, createBroker, local, type Publication } from "@tidewire/broker";
import { PacketType } from "@tidewire/codec";
import { mockNetwork } from "@tidewire/transport-mock";
import { describe, expect, it, vi } from "vitest";
import { Lab, textOf } from "./harness.ts";

describe("the broker's own interface", () => {
  it("publishes and subscribes in process, retained messages first", async () => {
    const lab = await Lab.start();
    lab.broker.publish("r", "kept", { retain: true });
    const seen: string[] = [];
    const subscription = lab.broker.subscribe("+", ({ topic, payload, retain }) => {
      seen.push(`${topic}=${textOf(payload)}${retain ? " retained" : ""}`);
    });
    await lab.settle();
    const client = await lab.connect();
    client.publish("t", "x");
    await lab.settle();
    subscription.unsubscribe();
    subscription.unsubscribe();
    lab.broker.publish("t", "unheard");
    expect(seen).toEqual(["r=kept retained", "t=x"]);
    expect(() => lab.broker.publish("a/+", "x")).toThrow("wildcard");
    expect(() => lab.broker.subscribe("a/#/b", () => {})).toThrow();
  });

  it("shares a subscription between the process and clients", async () => {
    const lab = await Lab.start();
    const seen: string[] = [];
    lab.broker.subscribe("$share/g/t", ({ payload }) => seen.push(textOf(payload)));
    const client = await lab.connect();
    await client.subscribe(lab, "$share/g/t");
    for (let index = 0; index < 4; index += 1) {
      lab.broker.publish("t", String(index));
    }
    await lab.settle();
    expect([seen.length, client.publishes.length]).toEqual([2, 2]);
  });

  it("lets a handler in the process throw without harm to the publisher", async () => {
    const lab = await Lab.start();
    lab.broker.subscribe("t", () => {
      throw new Error("broken");
    });
    const client = await lab.connect();
    client.publish("t", "x", { qos: 1 });
    await lab.settle();
    expect(client.last(PacketType.PUBACK)).toMatchObject({ reasonCode: 0 });
    expect(lab.broker.metrics().hookFailures).toBe(1);
  });

  it("tells of clients, sessions and subscriptions", async () => {
    const lab = await Lab.start();
    const told: string[] = [];
    const names = ["clientConnected", "clientDisconnected", "sessionEnded", "subscribed", "unsubscribed"] as const;
    const stops = names.map((name) => lab.broker.on(name, () => told.push(name)));
    const client = await lab.connect();
    await client.subscribe(lab, "t");
    await client.exchange(lab, {
      type: PacketType.UNSUBSCRIBE,
      packetId: 9,
      filters: ["t", "u"],
      properties: undefined,
    });
    expect(client.last(PacketType.UNSUBACK)).toMatchObject({ reasonCodes: [0, 0x11] });
    expect(lab.broker.disconnect("client")).toBe(true);
    expect(lab.broker.disconnect("client")).toBe(false);
    await lab.settle();
    expect(client.last(PacketType.DISCONNECT)).toMatchObject({ reasonCode: 0x98 });
    for (const stop of stops) {
      stop();
    }
    await lab.connect();
    expect(told).toEqual(["clientConnected", "subscribed", "unsubscribed", "sessionEnded", "clientDisconnected"]);
  });

  it("publishes $SYS under Mosquitto's names, invisible to `#`", async () => {
    const lab = await Lab.start({ sysIntervalMs: 1000 });
    const client = await lab.connect();
    await client.subscribe(lab, "#");
    await client.subscribe(lab, "$SYS/broker/clients/#");
    await lab.advance(1001);
    const values = new Map(client.publishes.map(({ topic, payload }) => [topic, textOf(payload)]));
    expect(values.get("$SYS/broker/clients/connected")).toBe("1");
    expect([...values.keys()].every((topic) => topic.startsWith("$SYS/broker/clients/"))).toBe(true);
    client.publish("$SYS/broker/clients/connected", "1000000", { qos: 1 });
    await lab.settle();
    expect(client.last(PacketType.PUBACK)).toMatchObject({ reasonCode: 0x87 });
  });

  it("counts bytes and messages", async () => {
    const lab = await Lab.start();
    const client = await lab.connect({ version: 4 });
    await client.subscribe(lab, "t");
    client.publish("t", "12345");
    await lab.settle();
    expect(lab.broker.metrics()).toMatchObject({
      publishReceived: 1,
      publishBytesReceived: 5,
      publishSent: 1,
      publishBytesSent: 5,
      bytesReceived: 20 + 8 + 10,
      bytesSent: 4 + 5 + 10,
    });
  });

  it("closes: no new connections, 0x8B for MQTT 5, what was on its way arrives", async () => {
    const network = mockNetwork();
    const broker = createBroker({ scheduler: network.scheduler, sysIntervalMs: 0 });
    await broker.start();
    const listener = await broker.listen(network.listen);
    expect(listener.addresses).toEqual(["mock://mock"]);
    const lab = await Lab.start();
    const five = await lab.connect({ clientId: "five" });
    const four = await lab.connect({ clientId: "four", version: 4 });
    const undecided = lab.dial();
    await five.subscribe(lab, "t");
    lab.broker.publish("t", "last");
    const closed = lab.broker.close();
    await lab.settle();
    await closed;
    expect(five.messages).toEqual(["t=last"]);
    expect(five.last(PacketType.DISCONNECT)).toMatchObject({ reasonCode: 0x8b });
    expect([five.closed, four.closed, undecided.closed]).toEqual([true, true, true]);
    expect((await lab.connect({ clientId: "late" })).closed).toBe(true);
    expect(() => lab.broker.publish("t", "x")).toThrow(expect.objectContaining({ code: "not-running" }));
    const other = broker.close();
    network.run();
    await other;
  });

  it("cuts connections that take nothing when it closes", async () => {
    const lab = await Lab.start({}, { highWaterMark: 100 });
    const stuck = await lab.connect();
    await stuck.subscribe(lab, "t");
    stuck.pause();
    for (let index = 0; index < 100; index += 1) {
      lab.broker.publish("t", "x".repeat(100), { qos: 1 });
      await lab.settle();
    }
    const closed = vi.fn();
    void lab.broker.close({ timeoutMs: 1000 }).then(closed);
    await lab.advance(500);
    expect(closed).not.toHaveBeenCalled();
    await lab.advance(600);
    expect(closed).toHaveBeenCalled();
  });
});

describe("ClusterBackend", () => {
  it("joins two brokers: publications, retained messages and session ownership pass through it", async () => {
    const nodes = new Map<string, ClusterHost>();
    const others = (name: string): ClusterHost[] => [...nodes].filter(([key]) => key !== name).map(([, host]) => host);
    const backend = (name: string): ClusterBackend => ({
      ...local(),
      async start(host) {
        nodes.set(name, host);
      },
      published(publication: Publication) {
        for (const host of others(name)) {
          host.deliver(publication);
        }
      },
      retained(publication: Publication) {
        for (const host of others(name)) {
          host.retain(publication);
        }
      },
      async claim(clientId: string) {
        for (const host of others(name)) {
          host.release(clientId);
        }
      },
    });
    const one = await Lab.start({ cluster: backend("one") });
    const two = await Lab.start({ cluster: backend("two") });
    const here = await one.connect({ clientId: "c" });
    await here.subscribe(one, "t");
    two.broker.publish("t", "from two", { retain: true });
    await one.settle();
    expect(here.messages).toEqual(["t=from two"]);
    expect(one.broker.metrics().retained).toBe(1);

    const there = await two.connect({ clientId: "c" });
    await one.settle();
    expect(there.connack.reasonCode).toBe(0);
    expect(here.last(PacketType.DISCONNECT)).toMatchObject({ reasonCode: 0x8e });
    expect(one.broker.metrics().sessions).toBe(0);
  });

  it("hears which filters have subscribers, and which sessions have ended", async () => {
    const heard: string[] = [];
    const lab = await Lab.start({
      cluster: {
        ...local(),
        subscribed: (filter) => heard.push(`+ ${filter}`),
        unsubscribed: (filter) => heard.push(`- ${filter}`),
        ended: (clientId) => heard.push(`ended ${clientId}`),
      },
    });
    const client = await lab.connect({ clientId: "c" });
    await client.subscribe(lab, "a/+");
    await client.subscribe(lab, "$share/g/a/+");
    await client.subscribe(lab, "b");
    const inProcess = lab.broker.subscribe("b", () => {});
    client.cut();
    await lab.settle();
    inProcess.unsubscribe();
    expect(heard).toEqual(["+ a/+", "+ b", "- a/+", "ended c", "- b"]);
  });

  it("refuses with 0x88 a client whose session nobody could claim", async () => {
    const cluster = { ...local(), claim: () => Promise.reject(new Error("split")) };
    const lab = await Lab.start({ cluster });
    expect((await lab.connect()).connack.reasonCode).toBe(0x88);
  });
});
