import { type Packet, PacketType } from "@tidewire/codec";
import { expect, test } from "vitest";
import { outcome, setUp, setUpConnected, text } from "./harness.ts";
import { connack, message, type ScriptedPeer } from "./scripted-server.ts";

// Field failure: "retry of what can never succeed": a SUBSCRIBE the server hangs up on (aws-iot-device-sdk-js-v2 #567,
// MQTT.js #1995), a message it hangs up on, a message larger than one's own limit.

/** A server that ends the connection, without a word, at what it does not like. */
const hangsUp = (dislikes: (packet: Packet) => boolean) => (packet: Packet, peer: ScriptedPeer) => {
  if (!dislikes(packet)) {
    return "usual" as const;
  }
  peer.connection.close();
  return undefined;
};

for (const protocolVersion of [4, 5] as const) {
  for (const sessionPresent of [true, false]) {
    const title = `version ${protocolVersion}, session ${sessionPresent ? "kept" : "lost"}`;
    test(`twenty filters at a server that takes eight a packet (${title})`, async () => {
      const { network, server, client } = setUp({ protocolVersion, cleanStart: false, sessionExpiryInterval: 60 });
      server.sessionPresent = sessionPresent;
      server.script = hangsUp((packet) => packet.type === PacketType.SUBSCRIBE && packet.subscriptions.length > 8);
      const subscribed = outcome(client.subscribe(Array.from({ length: 20 }, (_, i) => `t/${i}`)));
      await network.pass(60_000);
      expect(subscribed.value).toMatchObject({ granted: Array.from({ length: 20 }, () => 1) });
      expect(server.peers.length).toBeLessThanOrEqual(5);
      // Remembered.
      const before = server.peers.length;
      network.cut();
      await network.pass(60_000);
      expect(server.peers).toHaveLength(before + 1);
      expect(client.connected).toBe(true);
    });

    test(`one filter among twenty that the server hangs up on (${title})`, async () => {
      const { network, server, client } = setUp({ protocolVersion, cleanStart: false, sessionExpiryInterval: 60 });
      server.sessionPresent = sessionPresent;
      server.script = hangsUp(
        (packet) =>
          packet.type === PacketType.SUBSCRIBE && packet.subscriptions.some(({ filter }) => filter === "t/forbidden"),
      );
      const good = outcome(client.subscribe(Array.from({ length: 19 }, (_, i) => `t/${i}`)));
      const bad = outcome(client.subscribe("t/forbidden"));
      await network.pass(600_000);
      expect(good.value).toMatchObject({ granted: Array.from({ length: 19 }, () => 1) });
      expect(bad.value).toMatchObject({
        code: "subscribe-refused",
        message: expect.stringContaining("t/forbidden"),
      });
      const before = server.peers.length;
      expect(before).toBeLessThan(20);
      await network.pass(600_000);
      expect(server.peers).toHaveLength(before);
      expect(client.connected).toBe(true);
    });
  }

  test(`an UNSUBSCRIBE that the server hangs up on ends with an error (version ${protocolVersion})`, async () => {
    const { network, server, client } = await setUpConnected(
      { protocolVersion, cleanStart: false, sessionExpiryInterval: 60 },
      (server) => {
        server.sessionPresent = true;
      },
    );
    const subscribing = client.subscribe("t");
    await network.settle();
    server.script = hangsUp((packet) => packet.type === PacketType.UNSUBSCRIBE);
    const left = outcome((await subscribing).unsubscribe());
    await network.pass(600_000);
    expect(left.value).toMatchObject({ code: "subscribe-refused" });
    expect(client.connected).toBe(true);
  });

  for (const qos of [1, 2] as const) {
    test(`a message of QoS ${qos} that the server hangs up on is given up, the others go through (version ${protocolVersion})`, async () => {
      const { network, server, client } = setUp({ protocolVersion, cleanStart: false, sessionExpiryInterval: 60 });
      server.sessionPresent = true;
      server.script = hangsUp((packet) => packet.type === PacketType.PUBLISH && text(packet.payload) === "7");
      const results = Array.from({ length: 15 }, (_, i) => outcome(client.publish("t", String(i), { qos })));
      await network.pass(600_000);
      const codes = results.map(({ value }) => (value as { code?: string }).code);
      expect(codes).toEqual(codes.map((_, i) => (i === 7 ? "publish-refused" : undefined)));
      expect(results.filter(({ value }) => value === "pending")).toEqual([]);
      expect(server.peers.length).toBeLessThan(12);
      const later = outcome(client.publish("t", "later", { qos }));
      await network.pass(1_000);
      expect(later.value).toMatchObject({ reasonCode: 0 });
      // No longer one at a time.
      server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
      const before = server.received(PacketType.PUBLISH).length;
      for (let i = 0; i < 3; i += 1) {
        void client.publish("t", "", { qos });
      }
      await network.settle();
      expect(server.received(PacketType.PUBLISH)).toHaveLength(before + 3);
    });
  }
}

test("a message above the client's own limit, which a server of 3.1.1 sends on each connection, ends the client with a reason", async () => {
  const { network, server, client, errors } = setUp({
    ...{ protocolVersion: 4, cleanStart: false, limits: { maximumPacketSize: 100 } },
  });
  server.script = (packet) =>
    packet.type === PacketType.CONNECT
      ? [connack({ sessionPresent: true }), message("t", { qos: 1, packetId: 1, payload: new Uint8Array(200) })]
      : "usual";
  await network.pass(600_000);
  expect(client.status).toBe("closed");
  expect(errors).toMatchObject([{ code: "message-too-large" }]);
  expect(server.peers.length).toBeLessThan(10);
});

test("a filter that ended some connections, and was answered then, is not held to account for them later", async () => {
  const { network, server, client } = setUp();
  let hangUps = 4;
  server.script = hangsUp((packet) => {
    if (packet.type !== PacketType.SUBSCRIBE || hangUps === 0) {
      return false;
    }
    hangUps -= 1;
    return true;
  });
  const subscribed = outcome(client.subscribe("t"));
  await network.pass(600_000);
  expect(subscribed.value).toMatchObject({ granted: [1] });
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  hangUps = 4;
  network.cut();
  await network.pass(600_000);
  expect([hangUps, errors]).toEqual([0, []]);
  const before = server.received(PacketType.SUBSCRIBE).length;
  network.cut();
  await network.pass(600_000);
  expect(server.received(PacketType.SUBSCRIBE)).toHaveLength(before + 1);
});
