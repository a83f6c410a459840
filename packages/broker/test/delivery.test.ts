import { PacketType, type PubrelPacket } from "@tidewire/codec";
import { describe, expect, it } from "vitest";
import { ack, disconnectPacket, Lab } from "./harness.ts";

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
