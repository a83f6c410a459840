import { checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { concat, numberProperty, Type } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import { text } from "./messages.ts";

/** Receive Maximum: how many messages may be unacknowledged (MQTT 5.0, 3.3.4, 4.9). */
export const receiveMaximumCases: readonly BrokerCase[] = [
  rule({
    id: "flow/receive-maximum",
    title: "keeps no more unacknowledged QoS 1 and 2 messages than the client's Receive Maximum",
    v5: ["3.3.4-9", "4.9.0-1", "4.9.0-2"],
    run: async (lab) => {
      const topic = lab.topic();
      const subscriber = await lab.connect({ label: "subscriber", properties: [["receiveMaximum", 3]] });
      await subscriber.subscribe(topic, 2);
      const publisher = await lab.connect({ label: "publisher" });
      for (let index = 0; index < 8; index += 1) {
        await publisher.publish({ topic, qos: 1 + (index % 2), payload: `${index}` });
      }
      const held = [
        await subscriber.take("PUBLISH"),
        await subscriber.take("PUBLISH"),
        await subscriber.take("PUBLISH"),
      ];
      await subscriber.quiet("more messages than the Receive Maximum");
      for (const message of held) {
        await subscriber.acknowledge(message);
      }
      const found = held.map(text);
      while (found.length < 8) {
        found.push(text(await subscriber.message()));
      }
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
      for (const payload of ["first", "second"]) {
        await publisher.publish({ topic, qos: 2, payload });
      }
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
      for (const payload of ["first", "second"]) {
        await publisher.publish({ topic, qos: 2, payload });
      }
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
      for (let index = 0; index < 3; index += 1) {
        await publisher.publish({ topic, qos: 1 });
      }
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
      for (let index = 0; index < count; index += 1) {
        await peer.take("PUBREC");
      }
      for (let index = 0; index < count; index += 1) {
        peer.send(wire.ack(Type.PUBREL, index + 1));
      }
      for (let index = 0; index < count; index += 1) {
        await peer.take("PUBCOMP");
      }
      await peer.alive("it kept to the Receive Maximum");
    },
  }),
].flat();
