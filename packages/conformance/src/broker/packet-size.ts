import { check, checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { property, Type } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import { text } from "./messages.ts";

/** Maximum Packet Size, and what a client wants to be told (MQTT 5.0, 3.1.2.11). */
export const packetSizeCases: readonly BrokerCase[] = [
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
      for (let index = 0; index < 4; index += 1) {
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
    id: "flow/packet-size-below-any-answer",
    title: "sends nothing to a client that takes no packet as large as CONNACK, and serves others",
    v5: ["3.1.2-24"],
    run: async (lab) => {
      for (const maximum of [1, 2, 3, 4]) {
        const peer = await lab.open(`takes ${maximum}`);
        peer.send(
          lab.connectBytes({ clientId: lab.clientId(`s${maximum}`), properties: [["maximumPacketSize", maximum]] }),
        );
        await peer.quiet("a packet that is too large", ["CONNACK", "DISCONNECT"], 50);
      }
      await (await lab.connect({ label: "other" })).alive("others are served");
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
        if (free.includes(packet.type)) {
          continue;
        }
        const told = property(packet, "reasonString") ?? property(packet, "userProperty");
        check(told === undefined, "expected neither Reason String nor User Property");
      }
    },
  }),
].flat();
