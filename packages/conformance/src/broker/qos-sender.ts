import { check, checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { Type } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import { text } from "./messages.ts";

/** The server as sender (4.3, 4.4). */
export const senderCases: readonly BrokerCase[] = [
  rule({
    id: "qos/0-delivery",
    title: "delivers QoS 0 with DUP 0 and without an identifier",
    v3: ["4.3.1-1", "3.3.1-2", "2.3.1-5"],
    v5: ["4.3.1-1", "3.3.1-2", "2.2.1-2"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 0);
      await publisher.publish({ topic, payload: "x", qos: 1 });
      const message = await subscriber.message();
      checkEqual([message.qos, message.dup, text(message)], [0, false, "x"], "QoS, DUP and payload");
    },
  }),
  rule({
    id: "qos/fresh-identifiers",
    title: "delivers new QoS 1 and 2 messages with DUP 0 and identifiers that are not in use",
    v3: ["2.3.1-4", "4.3.2-1", "4.3.3-1"],
    v5: ["2.2.1-4", "4.3.2-1", "4.3.2-2", "4.3.3-1", "4.3.3-2"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 2);
      for (let index = 0; index < 10; index += 1) {
        await publisher.publish({ topic, qos: 1 + (index % 2), payload: `${index}` });
      }
      const ids = new Set<number>();
      for (let index = 0; index < 10; index += 1) {
        const message = await subscriber.take("PUBLISH");
        checkEqual([message.qos, message.dup], [1 + (index % 2), false], "QoS and DUP");
        check(message.packetId > 0 && !ids.has(message.packetId), "expected an identifier that is not in use");
        ids.add(message.packetId);
      }
    },
  }),
  rule({
    id: "qos/2-delivery",
    title: "answers PUBREC with PUBREL under the same identifier, until PUBCOMP",
    v3: ["4.3.3-1", "2.3.1-6", "3.6.1-1"],
    v5: ["4.3.3-4", "2.2.1-5", "3.6.1-1", "3.6.2-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 2);
      await publisher.publish({ topic, qos: 2 });
      const message = await subscriber.take("PUBLISH");
      subscriber.send(wire.ack(Type.PUBREC, message.packetId));
      const pubrel = await subscriber.take("PUBREL");
      checkEqual([pubrel.packetId, pubrel.flags, pubrel.reasonCode], [message.packetId, 2, 0], "PUBREL");
      subscriber.send(wire.ack(Type.PUBCOMP, message.packetId));
      await subscriber.alive("the exchange is complete");
    },
  }),
  rule({
    id: "qos/not-resent-while-connected",
    title: "does not send an unacknowledged message again on the same connection",
    v5: ["4.4.0-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 1);
      await publisher.publish({ topic, qos: 1 });
      await subscriber.take("PUBLISH");
      await subscriber.quiet("the message again without a reconnection", ["PUBLISH"], 2_000);
    },
  }),
  rule({
    id: "qos/1-redelivery",
    title: "sends an unacknowledged QoS 1 message again on resumption: same identifier, DUP 1",
    v3: ["4.4.0-1", "3.3.1-1", "4.3.2-1"],
    v5: ["4.4.0-1", "3.3.1-1", "4.3.2-3"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const subscriber = await lab.connect(options);
      await subscriber.subscribe(topic, 1);
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 1, payload: "again" });
      const first = await subscriber.take("PUBLISH");
      subscriber.drop();
      const again = await lab.connect(options);
      const second = await again.message();
      checkEqual([second.packetId, second.dup, text(second)], [first.packetId, true, "again"], "redelivered message");
      again.drop();
      const last = await lab.connect(options);
      await last.quiet("the message after its PUBACK");
    },
  }),
  rule({
    id: "qos/2-redelivery",
    title: "sends a QoS 2 PUBLISH again until PUBREC, then its PUBREL and never the PUBLISH",
    v3: ["4.4.0-1", "4.3.3-1", "3.3.1-1"],
    v5: ["4.4.0-1", "4.3.3-3", "4.3.3-5", "4.3.3-6", "3.3.1-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const subscriber = await lab.connect(options);
      await subscriber.subscribe(topic, 2);
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 2 });
      const { packetId } = await subscriber.take("PUBLISH");
      subscriber.drop();
      const second = await lab.connect(options);
      const repeated = await second.take("PUBLISH");
      checkEqual([repeated.packetId, repeated.dup], [packetId, true], "identifier and DUP of the repeated PUBLISH");
      second.send(wire.ack(Type.PUBREC, packetId));
      await second.take("PUBREL");
      second.drop();
      const third = await lab.connect(options);
      checkEqual((await third.take("PUBREL")).packetId, packetId, "identifier of the repeated PUBREL");
      third.send(wire.ack(Type.PUBCOMP, packetId));
      await third.quiet("the PUBLISH after its PUBREL", ["PUBLISH", "PUBREL"]);
      third.drop();
      const fourth = await lab.connect(options);
      await fourth.quiet("a completed exchange again", ["PUBLISH", "PUBREL"]);
    },
  }),
  rule({
    id: "qos/2-does-not-expire-in-flight",
    title: "does not let a QoS 2 message expire once it has been sent",
    v5: ["4.3.3-7"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const subscriber = await lab.connect(options);
      await subscriber.subscribe(topic, 2);
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 2, properties: [["messageExpiryInterval", 1]] });
      const { packetId } = await subscriber.take("PUBLISH");
      subscriber.drop();
      await lab.wait(2_000);
      const again = await lab.connect(options);
      checkEqual((await again.message()).packetId, packetId, "identifier of the repeated PUBLISH");
    },
  }),
  rule({
    id: "qos/refused-is-settled",
    title: "takes a PUBACK or PUBREC with an error as the end of the exchange",
    v5: ["4.4.0-2", "4.3.3-9"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const subscriber = await lab.connect(options);
      await subscriber.subscribe(topic, 2);
      const publisher = await lab.connect({ label: "publisher" });
      for (const qos of [1, 2]) {
        await publisher.publish({ topic, qos });
        const { packetId } = await subscriber.take("PUBLISH");
        subscriber.send(wire.ack(qos === 1 ? Type.PUBACK : Type.PUBREC, packetId, 0x83));
      }
      await subscriber.ping();
      await subscriber.quiet("a PUBREL for a refused message", ["PUBREL"], 100);
      subscriber.drop();
      const again = await lab.connect(options);
      await again.quiet("a refused message again", ["PUBLISH", "PUBREL"]);
    },
  }),
  rule({
    id: "qos/refused-and-unknown",
    title: "sends no PUBREL for a PUBREC that refuses a message it did not send",
    v5: ["4.3.3-4"],
    run: async (lab) => {
      const peer = await lab.connect();
      peer.send(wire.ack(Type.PUBREC, 77, 0x80));
      await peer.quiet("a PUBREL that nothing asks for", ["PUBREL"], 100);
    },
  }),
  rule({
    id: "qos/order",
    title: "forwards one publisher's messages in the order they came",
    v3: ["4.6.0-5", "4.6.0-6", "4.5.0-1"],
    v5: ["4.6.0-5", "4.6.0-6", "4.5.0-1"],
    run: async (lab) => {
      await Promise.all(
        [0, 1, 2].map(async (qos) => {
          const topic = lab.topic(`qos${qos}`);
          const { subscriber, publisher } = await lab.pair(topic, qos);
          const numbers = Array.from({ length: 15 }, (_, index) => `${index}`);
          for (const payload of numbers) {
            const packetId = qos === 0 ? undefined : publisher.nextPacketId();
            publisher.send(
              wire.publish(lab.version, { topic, payload, qos, ...(packetId === undefined ? {} : { packetId }) }),
            );
            if (packetId === undefined || qos === 1) {
              continue;
            }
            await publisher.take("PUBREC");
            publisher.send(wire.ack(Type.PUBREL, packetId));
          }
          const found: string[] = [];
          while (found.length < numbers.length) {
            found.push(text(await subscriber.message()));
          }
          checkEqual(found, numbers, `order at QoS ${qos}`);
        }),
      );
    },
  }),
  rule({
    id: "qos/order-of-redelivery",
    title: "sends unacknowledged messages again in their order, before newer ones",
    v3: ["4.6.0-6", "4.4.0-1"],
    v5: ["4.6.0-5", "4.4.0-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const subscriber = await lab.connect(options);
      await subscriber.subscribe(topic, 1);
      const publisher = await lab.connect({ label: "publisher" });
      for (const payload of ["0", "1", "2"]) {
        await publisher.publish({ topic, qos: 1, payload });
      }
      for (let index = 0; index < 3; index += 1) {
        await subscriber.take("PUBLISH");
      }
      subscriber.drop();
      await lab.wait(50);
      for (const payload of ["3", "4"]) {
        await publisher.publish({ topic, qos: 1, payload });
      }
      const again = await lab.connect(options);
      const found: string[] = [];
      while (found.length < 5) {
        found.push(text(await again.message()));
      }
      checkEqual(found, ["0", "1", "2", "3", "4"], "order after resumption");
    },
  }),
  rule({
    id: "qos/every-matching-client",
    title: "delivers to every client with a matching subscription",
    v3: ["4.5.0-1"],
    v5: ["4.5.0-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const subscribers = await Promise.all(
        [0, 1, 2, 1, 2].map(async (qos) => {
          const peer = await lab.connect();
          await peer.subscribe(topic, qos);
          return peer;
        }),
      );
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 2, payload: "all" });
      for (const peer of subscribers) {
        checkEqual(text(await peer.message()), "all", "payload");
      }
    },
  }),
].flat();
