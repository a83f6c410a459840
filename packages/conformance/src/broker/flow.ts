import { check, checkEqual } from "../failure.ts";
import { concat } from "../wire/bytes.ts";
import { numberProperty, property } from "../wire/decode.ts";
import * as wire from "../wire/encode.ts";
import { Type } from "../wire/types.ts";
import type { BrokerCase } from "./define.ts";
import { rule } from "./define.ts";
import { text } from "./messages.ts";

/** Receive Maximum, Maximum Packet Size and Topic Alias: the limits each side sets for the other (MQTT 5.0). */
const receiveMaximum: readonly BrokerCase[] = [
  rule({
    id: "flow/receive-maximum",
    title: "keeps no more unacknowledged QoS 1 and 2 messages than the client's Receive Maximum",
    v5: ["3.3.4-9", "4.9.0-1", "4.9.0-2"],
    run: async (lab) => {
      const topic = lab.topic();
      const subscriber = await lab.connect({ label: "subscriber", properties: [["receiveMaximum", 3]] });
      await subscriber.subscribe(topic, 2);
      const publisher = await lab.connect({ label: "publisher" });
      for (let index = 0; index < 8; index++)
        await publisher.publish({ topic, qos: 1 + (index % 2), payload: `${index}` });
      const held = [
        await subscriber.take("PUBLISH"),
        await subscriber.take("PUBLISH"),
        await subscriber.take("PUBLISH"),
      ];
      await subscriber.quiet("more messages than the Receive Maximum");
      for (const message of held) await subscriber.acknowledge(message);
      const found = held.map(text);
      while (found.length < 8) found.push(text(await subscriber.message()));
      checkEqual(found.sort(), ["0", "1", "2", "3", "4", "5", "6", "7"], "messages delivered in all");
    },
  }),
  rule({
    id: "flow/receive-maximum-refused",
    title: "takes a PUBREC with an error as the end of the exchange for the quota",
    v5: ["3.3.4-9", "4.9.0-2"],
    run: async (lab) => {
      const topic = lab.topic();
      const subscriber = await lab.connect({ label: "subscriber", properties: [["receiveMaximum", 1]] });
      await subscriber.subscribe(topic, 2);
      const publisher = await lab.connect({ label: "publisher" });
      for (const payload of ["first", "second"]) await publisher.publish({ topic, qos: 2, payload });
      const first = await subscriber.take("PUBLISH");
      subscriber.send(wire.ack(Type.PUBREC, first.packetId, 0x87));
      checkEqual(text(await subscriber.message()), "second", "message after the refused one");
    },
  }),
  rule({
    id: "flow/receive-maximum-until-pubcomp",
    title: "does not count a QoS 2 message as done before PUBCOMP",
    v5: ["3.3.4-9", "4.9.0-2"],
    run: async (lab) => {
      const topic = lab.topic();
      const subscriber = await lab.connect({ label: "subscriber", properties: [["receiveMaximum", 1]] });
      await subscriber.subscribe(topic, 2);
      const publisher = await lab.connect({ label: "publisher" });
      for (const payload of ["first", "second"]) await publisher.publish({ topic, qos: 2, payload });
      const { packetId } = await subscriber.take("PUBLISH");
      subscriber.send(wire.ack(Type.PUBREC, packetId));
      await subscriber.take("PUBREL");
      await subscriber.quiet("a second message before PUBCOMP");
      subscriber.send(wire.ack(Type.PUBCOMP, packetId));
      checkEqual(text(await subscriber.message()), "second", "message after PUBCOMP");
    },
  }),
  rule({
    id: "flow/other-packets-go-on",
    title: "goes on answering other packets while the Receive Maximum is used up",
    v5: ["3.3.4-10", "4.9.0-3"],
    run: async (lab) => {
      const topic = lab.topic();
      const subscriber = await lab.connect({ label: "subscriber", properties: [["receiveMaximum", 1]] });
      await subscriber.subscribe(topic, 1);
      const publisher = await lab.connect({ label: "publisher" });
      for (let index = 0; index < 3; index++) await publisher.publish({ topic, qos: 1 });
      await subscriber.take("PUBLISH");
      await subscriber.ping();
      await subscriber.subscribe(lab.topic("other"), 1);
      await subscriber.publish({ topic: lab.topic("out"), qos: 2 });
      await subscriber.unsubscribe(lab.topic("other"));
    },
  }),
  rule({
    id: "flow/server-receive-maximum",
    title: "takes as many unacknowledged QoS 2 messages as its Receive Maximum says",
    v5: ["4.9.0-1"],
    run: async (lab) => {
      const { peer, connack } = await lab.connectWith();
      const count = Math.min(numberProperty(connack, "receiveMaximum", 65_535), 20);
      const topic = lab.topic();
      const publishes = Array.from({ length: count }, (_, index) =>
        wire.publish("5.0", { topic, qos: 2, packetId: index + 1 }),
      );
      peer.send(concat(...publishes));
      for (let index = 0; index < count; index++) await peer.take("PUBREC");
      for (let index = 0; index < count; index++) peer.send(wire.ack(Type.PUBREL, index + 1));
      for (let index = 0; index < count; index++) await peer.take("PUBCOMP");
      await peer.alive("it kept to the Receive Maximum");
    },
  }),
].flat();

const maximumPacketSize: readonly BrokerCase[] = [
  rule({
    id: "flow/maximum-packet-size",
    title: "drops a message that is too large for the client, as though it had been delivered",
    v5: ["3.1.2-24", "3.1.2-25"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId(), {
        properties: [
          ["maximumPacketSize", 120],
          ["receiveMaximum", 2],
        ],
      });
      const subscriber = await lab.connect({ ...options, label: "subscriber" });
      await subscriber.subscribe(topic, 2);
      const publisher = await lab.connect({ label: "publisher" });
      for (let index = 0; index < 4; index++) {
        await publisher.publish({ topic, qos: index % 3, payload: new Uint8Array(200) });
      }
      await publisher.publish({ topic, qos: 2, payload: "small" });
      checkEqual(text(await subscriber.message()), "small", "message after the ones that are too large");
      await subscriber.alive("the large messages were dropped");
      const largest = Math.max(...subscriber.received.map(({ bytes }) => bytes.length));
      check(largest <= 120, `expected no packet above 120 bytes, got ${largest}`);
    },
  }),
  rule({
    id: "flow/small-acknowledgements",
    title: "leaves Reason String and User Properties out of packets that would become too large",
    v5: [
      "3.4.2-2",
      "3.4.2-3",
      "3.5.2-2",
      "3.5.2-3",
      "3.7.2-2",
      "3.7.2-3",
      "3.9.2-1",
      "3.9.2-2",
      "3.11.2-1",
      "3.11.2-2",
      "3.1.2-24",
    ],
    run: async (lab) => {
      const maximum = 24;
      const peer = await lab.connect({ properties: [["maximumPacketSize", 64]], clientId: lab.clientId("m") });
      const small = await lab.open("small");
      small.send(lab.connectBytes({ properties: [["maximumPacketSize", maximum]] }));
      const connack = await small.take("CONNACK").catch(() => undefined);
      // A CONNACK that cannot be made small enough ends the connection: then the larger limit has to do.
      const [client, limit] = connack?.reasonCode === 0 ? [small, maximum] : [peer, 64];
      const topic = lab.topic();
      const { version } = lab;
      client.send(wire.publish(version, { topic, qos: 1, packetId: 1 }));
      await client.take("PUBACK");
      client.send(wire.publish(version, { topic, qos: 2, packetId: 2 }));
      await client.take("PUBREC");
      client.send(wire.ack(Type.PUBREL, 2));
      await client.take("PUBCOMP");
      client.send(wire.ack(Type.PUBREL, 9));
      await client.take("PUBCOMP");
      client.send(
        wire.subscribe(version, 3, [
          [topic, 0],
          ["$share/x/y", 0],
        ]),
      );
      await client.take("SUBACK");
      client.send(wire.unsubscribe(version, 4, [topic, lab.topic("never")]));
      await client.take("UNSUBACK");
      const largest = Math.max(...client.received.map(({ bytes }) => bytes.length));
      check(largest <= limit, `expected no packet above ${limit} bytes, got ${largest}`);
    },
  }),
  rule({
    id: "flow/small-connack-and-disconnect",
    title: "keeps CONNACK and DISCONNECT within the client's Maximum Packet Size",
    v5: ["3.2.2-19", "3.2.2-20", "3.14.2-3", "3.14.2-4", "3.1.2-24"],
    run: async (lab) => {
      const maximum = 40;
      const accepted = await lab.open("accepted");
      accepted.send(lab.connectBytes({ properties: [["maximumPacketSize", maximum]] }));
      const refused = await lab.open("refused");
      refused.send(
        lab.connectBytes({
          properties: [
            ["maximumPacketSize", maximum],
            ["authenticationMethod", "no such method"],
          ],
        }),
      );
      await refused.closes("an authentication method the server does not know");
      await accepted.take("CONNACK").catch(() => undefined);
      accepted.send(wire.packet(0x00));
      await accepted.closes("reserved packet type");
      for (const { bytes } of [...accepted.received, ...refused.received]) {
        check(bytes.length <= maximum, `expected no packet above ${maximum} bytes, got ${bytes.length}`);
      }
    },
  }),
  rule({
    id: "flow/small-pubrel",
    title: "keeps PUBREL within the client's Maximum Packet Size",
    v5: ["3.6.2-2", "3.6.2-3"],
    run: async (lab) => {
      const topic = lab.topic();
      const maximum = topic.length + 20;
      const subscriber = await lab.connect({ label: "subscriber", properties: [["maximumPacketSize", maximum]] });
      await subscriber.subscribe(topic, 2);
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 2 });
      const message = await subscriber.take("PUBLISH");
      subscriber.send(wire.ack(Type.PUBREC, message.packetId));
      const pubrel = await subscriber.take("PUBREL");
      subscriber.send(wire.ack(Type.PUBREC, 999));
      const unknown = await subscriber.take("PUBREL");
      for (const packet of [pubrel, unknown]) {
        check(packet.bytes.length <= maximum, `expected a PUBREL of at most ${maximum} bytes`);
        check([0, 0x92].includes(packet.reasonCode), "expected PUBREL reason 0x00 or 0x92");
      }
    },
  }),
  rule({
    id: "flow/response-information",
    title: "sends Response Information only when asked for it",
    v5: ["3.1.2-28"],
    run: async (lab) => {
      const silent = await lab.connectWith();
      const refused = await lab.connectWith({ properties: [["requestResponseInformation", 0]] });
      for (const { connack } of [silent, refused]) {
        checkEqual(property(connack, "responseInformation"), undefined, "Response Information in CONNACK");
      }
    },
  }),
  rule({
    id: "flow/problem-information",
    title: "sends no Reason String and no User Property in acknowledgements when asked not to",
    v5: ["3.1.2-29"],
    run: async (lab) => {
      const topic = lab.topic();
      const { version } = lab;
      const peer = await lab.connect({ properties: [["requestProblemInformation", 0]] });
      peer.send(wire.publish(version, { topic, qos: 1, packetId: 1 }));
      peer.send(wire.publish(version, { topic, qos: 2, packetId: 2 }));
      peer.send(wire.ack(Type.PUBREL, 2));
      peer.send(wire.ack(Type.PUBREL, 77));
      peer.send(
        wire.subscribe(version, 3, [
          [topic, 0],
          ["$share/x/y", 0],
        ]),
      );
      peer.send(wire.unsubscribe(version, 4, [lab.topic("never")]));
      await peer.take("UNSUBACK");
      await peer.ping();
      const free: number[] = [Type.PUBLISH, Type.CONNACK, Type.DISCONNECT];
      for (const packet of peer.received) {
        if (free.includes(packet.type)) continue;
        const told = property(packet, "reasonString") ?? property(packet, "userProperty");
        check(told === undefined, "expected neither Reason String nor User Property");
      }
    },
  }),
].flat();

const topicAlias: readonly BrokerCase[] = [
  rule({
    id: "flow/alias-within-client-maximum",
    title: "uses no Topic Alias above the client's Topic Alias Maximum",
    v5: ["3.1.2-26", "3.3.2-11"],
    run: async (lab) => {
      const base = lab.topic();
      const subscriber = await lab.connect({ label: "subscriber", properties: [["topicAliasMaximum", 2]] });
      await subscriber.subscribe(`${base}/#`);
      const publisher = await lab.connect({ label: "publisher" });
      const known = new Map<number, string>();
      for (let round = 0; round < 10; round++) {
        const topic = `${base}/${round % 5}`;
        await publisher.publish({ topic, qos: 1 });
        const message = await subscriber.message();
        const alias = numberProperty(message, "topicAlias", 1);
        check(alias >= 1 && alias <= 2, `expected a Topic Alias of 1 or 2, got ${alias}`);
        if (message.topic !== "") known.set(alias, message.topic);
        checkEqual(message.topic || known.get(alias), topic, "topic, by name or alias");
      }
    },
  }),
  rule({
    id: "flow/alias-not-allowed",
    title: "uses no Topic Alias for a client that allows none",
    v5: ["3.1.2-27"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic);
      const zero = await lab.connect({ label: "maximum 0", properties: [["topicAliasMaximum", 0]] });
      await zero.subscribe(topic);
      for (let round = 0; round < 3; round++) {
        await publisher.publish({ topic, qos: 1, properties: [] });
        for (const peer of [subscriber, zero]) {
          const message = await peer.message();
          checkEqual([message.topic, property(message, "topicAlias")], [topic, undefined], "topic and alias");
        }
      }
    },
  }),
  rule({
    id: "flow/alias-from-client",
    title: "takes every Topic Alias up to its own maximum, and a new topic for an old alias",
    v5: ["3.3.2-12"],
    needs: ["topic-alias"],
    run: async (lab) => {
      const base = lab.topic();
      const { peer: publisher, connack } = await lab.connectWith({ label: "publisher" });
      const maximum = numberProperty(connack, "topicAliasMaximum", 0);
      check(maximum > 0, "expected a Topic Alias Maximum in CONNACK");
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribe(`${base}/#`);
      for (const alias of new Set([1, Math.ceil(maximum / 2), maximum])) {
        for (const topic of [`${base}/${alias}`, `${base}/${alias}/again`]) {
          await publisher.publish({ topic, qos: 1, properties: [["topicAlias", alias]] });
          await publisher.publish({ topic: "", qos: 1, properties: [["topicAlias", alias]] });
          for (let copy = 0; copy < 2; copy++) checkEqual((await subscriber.message()).topic, topic, "topic");
        }
      }
    },
  }),
  rule({
    id: "flow/alias-above-maximum",
    title: "closes the connection on a Topic Alias above its maximum",
    v5: ["3.3.2-9"],
    run: async (lab) => {
      const { peer, connack } = await lab.connectWith();
      const maximum = numberProperty(connack, "topicAliasMaximum", 0);
      if (maximum === 65_535) return;
      peer.send(wire.publish("5.0", { topic: lab.topic(), properties: [["topicAlias", maximum + 1]] }));
      await peer.closes(`Topic Alias ${maximum + 1}, where ${maximum} is the maximum`);
    },
  }),
  rule({
    id: "flow/alias-per-connection",
    title: "forgets Topic Aliases when the connection ends",
    v5: ["3.3.2-7"],
    needs: ["topic-alias"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const first = await lab.connect(options);
      await first.publish({ topic, qos: 1, properties: [["topicAlias", 1]] });
      first.drop();
      const watcher = await lab.connect({ label: "watcher" });
      await watcher.subscribe(topic);
      const again = await lab.connect(options);
      again.send(wire.publish("5.0", { topic: "", qos: 1, packetId: 1, properties: [["topicAlias", 1]] }));
      await again.closes("an alias of an earlier connection");
      await watcher.quiet("a message by an alias of an earlier connection");
    },
  }),
].flat();

/** All limits. */
export const flowCases: readonly BrokerCase[] = [...receiveMaximum, ...maximumPacketSize, ...topicAlias];
