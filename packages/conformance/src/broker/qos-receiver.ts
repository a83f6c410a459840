import { check, checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { Type } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import { text } from "./messages.ts";

/** The server as receiver of a client's PUBLISH (3.3.4, 4.3). */
export const receiverCases: readonly BrokerCase[] = [
  rule({
    id: "qos/acknowledged",
    title: "answers PUBLISH according to its QoS: nothing, PUBACK, PUBREC",
    v3: ["3.3.4-1", "2.3.1-6", "4.3.2-2", "4.3.3-2"],
    v5: ["3.3.4-1", "2.2.1-5", "4.3.2-4", "4.3.3-8", "4.3.3-11", "3.4.2-1", "3.5.2-1", "3.7.2-1"],
    run: async (lab) => {
      const { version } = lab;
      const topic = lab.topic();
      const peer = await lab.connect();
      peer.send(wire.publish(version, { topic }));
      await peer.ping();
      await peer.quiet("an acknowledgement of QoS 0", ["PUBACK", "PUBREC"], 50);
      peer.send(wire.publish(version, { topic, qos: 1, packetId: 4_660 }));
      const puback = await peer.next("PUBACK");
      peer.send(wire.publish(version, { topic, qos: 2, packetId: 65_535 }));
      const pubrec = await peer.next("PUBREC");
      peer.send(wire.ack(Type.PUBREL, 65_535));
      const pubcomp = await peer.next("PUBCOMP");
      checkEqual([puback.packetId, pubrec.packetId, pubcomp.packetId], [4_660, 65_535, 65_535], "packet identifiers");
      for (const { reasonCode } of [puback, pubrec]) {
        check([0, 0x10].includes(reasonCode), "expected success or 0x10");
      }
      checkEqual(pubcomp.reasonCode, 0, "PUBCOMP reason code");
    },
  }),
  rule({
    id: "qos/1-id-free-after-puback",
    title: "takes a PUBLISH with an acknowledged identifier as new, whatever its DUP",
    v3: ["4.3.2-2"],
    v5: ["4.3.2-5"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 1);
      for (const [payload, dup] of [
        ["first", false],
        ["second", true],
      ] as const) {
        publisher.send(wire.publish(lab.version, { topic, payload, qos: 1, packetId: 9, dup }));
        await publisher.take("PUBACK");
        checkEqual(text(await subscriber.message()), payload, "payload");
      }
    },
  }),
  rule({
    id: "qos/2-repeat-before-release",
    title: "answers a repeated QoS 2 PUBLISH with PUBREC and delivers it once",
    v3: ["4.3.3-2"],
    v5: ["4.3.3-10"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 2);
      for (const dup of [false, true]) {
        publisher.send(wire.publish(lab.version, { topic, payload: "once", qos: 2, packetId: 3, dup }));
        checkEqual((await publisher.take("PUBREC")).packetId, 3, "PUBREC identifier");
      }
      publisher.send(wire.ack(Type.PUBREL, 3));
      await publisher.take("PUBCOMP");
      checkEqual(text(await subscriber.message()), "once", "payload");
      await subscriber.quiet("the same QoS 2 message again");
    },
  }),
  rule({
    id: "qos/2-id-free-after-pubcomp",
    title: "takes a PUBLISH with a completed QoS 2 identifier as new",
    v3: ["4.3.3-2"],
    v5: ["4.3.3-12"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 2);
      for (const payload of ["first", "second"]) {
        publisher.send(wire.publish(lab.version, { topic, payload, qos: 2, packetId: 3 }));
        await publisher.take("PUBREC");
        publisher.send(wire.ack(Type.PUBREL, 3));
        await publisher.take("PUBCOMP");
        checkEqual(text(await subscriber.message()), payload, "payload");
      }
    },
  }),
  rule({
    id: "qos/2-pubrel-repeated",
    title: "answers a repeated PUBREL with PUBCOMP",
    v3: ["4.3.3-2"],
    v5: ["4.3.3-11", "3.7.2-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const publisher = await lab.connect();
      publisher.send(wire.publish(lab.version, { topic, qos: 2, packetId: 3 }));
      await publisher.take("PUBREC");
      for (let round = 0; round < 2; round += 1) {
        publisher.send(wire.ack(Type.PUBREL, 3));
        const pubcomp = await publisher.take("PUBCOMP");
        checkEqual(pubcomp.packetId, 3, "PUBCOMP identifier");
        check([0, 0x92].includes(pubcomp.reasonCode), "expected reason 0x00 or 0x92");
      }
    },
  }),
  rule({
    id: "qos/2-expired-meanwhile",
    title: "completes a QoS 2 exchange whose message has expired meanwhile",
    v5: ["4.3.3-13"],
    run: async (lab) => {
      const peer = await lab.connect();
      const properties: [["messageExpiryInterval", number]] = [["messageExpiryInterval", 1]];
      peer.send(wire.publish("5.0", { topic: lab.topic(), qos: 2, packetId: 3, properties }));
      await peer.take("PUBREC");
      await lab.wait(1_500);
      peer.send(wire.ack(Type.PUBREL, 3));
      checkEqual((await peer.take("PUBCOMP")).packetId, 3, "PUBCOMP identifier");
    },
  }),
  rule({
    id: "qos/dup-not-forwarded",
    title: "does not copy the publisher's DUP",
    v3: ["3.3.1-3"],
    v5: ["3.3.1-3"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 1);
      publisher.send(wire.publish(lab.version, { topic, qos: 1, packetId: 1, dup: true }));
      await publisher.take("PUBACK");
      checkEqual((await subscriber.message()).dup, false, "DUP of the forwarded message");
    },
  }),
].flat();
