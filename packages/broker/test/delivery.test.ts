import { PacketType, type Properties, type PubrelPacket } from "@tidewire/codec";
import { describe, expect, it } from "vitest";
import { ack, bytesOf, disconnectPacket, Lab } from "./harness.ts";

describe.each([4, 5] as const)("MQTT version %i", (version) => {
  it("answers CONNECT and delivers QoS 0, 1 and 2", async () => {
    const lab = await Lab.start();
    const subscriber = await lab.connect({ version, clientId: "subscriber" });
    const publisher = await lab.connect({ version, clientId: "publisher" });
    expect(subscriber.connack).toMatchObject({ reasonCode: 0, sessionPresent: false });
    expect(await subscriber.subscribe(lab, "a/+")).toMatchObject({ reasonCodes: [2] });

    publisher.publish("a/0", "zero");
    publisher.publish("a/1", "one", { qos: 1, packetId: 7 });
    publisher.publish("a/2", "two", { qos: 2, packetId: 8 });
    await lab.settle();

    expect(subscriber.messages).toEqual(["a/0=zero", "a/1=one", "a/2=two"]);
    expect(subscriber.publishes.map((packet) => packet.qos)).toEqual([0, 1, 2]);
    expect(publisher.last(PacketType.PUBACK)).toMatchObject({ packetId: 7, reasonCode: 0 });
    await publisher.exchange(lab, ack(PacketType.PUBREL, 8));
    expect(publisher.last(PacketType.PUBCOMP)).toMatchObject({ packetId: 8 });

    const [, one, two] = subscriber.publishes;
    await subscriber.exchange(lab, ack(PacketType.PUBACK, one!.packetId), ack(PacketType.PUBREC, two!.packetId));
    await subscriber.exchange(
      lab,
      ack(PacketType.PUBCOMP, (subscriber.last(PacketType.PUBREL) as PubrelPacket).packetId),
    );
    expect(lab.broker.metrics().protocolErrors).toBe(0);
  });

  it("keeps a persistent session's subscriptions and messages while it is away", async () => {
    const lab = await Lab.start();
    const session = {
      version,
      clientId: "subscriber",
      cleanStart: false,
      properties: version === 5 ? { sessionExpiryInterval: 60 } : undefined,
    };
    const before = await lab.connect(session);
    await before.subscribe(lab, "a", { qos: 1 });
    await before.exchange(lab, disconnectPacket());

    const publisher = await lab.connect({ version, clientId: "publisher" });
    publisher.publish("a", "1", { qos: 1 });
    publisher.publish("a", "2", { qos: 1 });
    publisher.publish("a", "lost", { qos: 0 });
    await lab.settle();
    expect(lab.broker.metrics().queued).toBe(2);

    const after = await lab.connect(session);
    expect(after.connack.sessionPresent).toBe(true);
    expect(after.messages).toEqual(["a=1", "a=2"]);
    expect(lab.broker.metrics().queued).toBe(0);
  });
});

describe("MQTT 5 properties", () => {
  it("pass through unchanged, user properties in order, with the identifiers of every matching subscription", async () => {
    const lab = await Lab.start();
    const subscriber = await lab.connect({ clientId: "subscriber" });
    await subscriber.subscribe(lab, "a/+", {}, 3);
    await subscriber.subscribe(lab, "a/b", {}, 70_000);
    const old = await lab.connect({ version: 4, clientId: "old" });
    await old.subscribe(lab, "a/b");
    const plain = await lab.connect({ clientId: "plain" });
    await plain.subscribe(lab, "a/b");
    const publisher = await lab.connect({ clientId: "publisher" });
    const properties: Properties = {
      payloadFormatIndicator: 1,
      contentType: "text/plain",
      responseTopic: "answers",
      correlationData: bytesOf("7"),
      userProperties: [
        ["b", "1"],
        ["a", "2"],
        ["b", "1"],
      ],
    };
    for (const qos of [0, 1] as const) {
      publisher.publish("a/b", "x", { qos, properties });
    }
    await lab.settle();
    for (const packet of subscriber.publishes) {
      expect([...packet.properties!.subscriptionIdentifiers!].sort()).toEqual([3, 70_000]);
      expect(packet.properties).toMatchObject(properties);
    }
    expect(plain.publishes.map((packet) => packet.properties)).toEqual([properties, properties]);
    expect(old.publishes.map((packet) => packet.properties)).toEqual([undefined, undefined]);
  });

  it("use topic aliases both ways: a publisher's stays its own, a subscriber gets some where it takes them", async () => {
    const lab = await Lab.start();
    const plain = await lab.connect({ clientId: "plain" });
    const aliased = await lab.connect({ clientId: "aliased", properties: { topicAliasMaximum: 5 } });
    await plain.subscribe(lab, "#");
    await aliased.subscribe(lab, "#");
    const publisher = await lab.connect({ clientId: "publisher" });
    publisher.publish("long/topic", "1", { qos: 1, properties: { topicAlias: 1 } });
    publisher.publish("", "2", { qos: 1, properties: { topicAlias: 1 } });
    await lab.settle();
    expect(plain.messages).toEqual(["long/topic=1", "long/topic=2"]);
    expect(plain.publishes.map((packet) => packet.properties)).toEqual([undefined, undefined]);
    const [first, second] = aliased.publishes;
    expect(first).toMatchObject({ topic: "long/topic", properties: { topicAlias: 1 } });
    expect(second).toMatchObject({ topic: "", properties: { topicAlias: 1 } });
  });

  it("give response information and a keep-alive of the server's own to those who ask", async () => {
    const lab = await Lab.start({
      hooks: { authenticate: () => ({ responseInformation: "answers/" }) },
      limits: { keepAliveSeconds: 30 },
    });
    const asking = await lab.connect({ properties: { requestResponseInformation: true }, keepAlive: 60 });
    expect(asking.connack.properties).toMatchObject({ responseInformation: "answers/", serverKeepAlive: 30 });
    const silent = await lab.connect({ clientId: "", keepAlive: 20 });
    expect(silent.connack.properties).not.toHaveProperty("responseInformation");
    expect(silent.connack.properties).not.toHaveProperty("serverKeepAlive");
    expect(silent.connack.properties!.assignedClientIdentifier).toMatch(/^tidewire-/);
  });
});
