import { check, checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { numberProperty, property } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";

/** Topic Alias, both ways (MQTT 5.0, 3.3.2.3.4). */
export const topicAliasCases: readonly BrokerCase[] = [
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
      for (let round = 0; round < 10; round += 1) {
        const topic = `${base}/${round % 5}`;
        await publisher.publish({ topic, qos: 1 });
        const message = await subscriber.message();
        const alias = numberProperty(message, "topicAlias", 1);
        check(alias >= 1 && alias <= 2, `expected a Topic Alias of 1 or 2, got ${alias}`);
        if (message.topic !== "") {
          known.set(alias, message.topic);
        }
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
      for (let round = 0; round < 3; round += 1) {
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
          for (let copy = 0; copy < 2; copy += 1) {
            checkEqual((await subscriber.message()).topic, topic, "topic");
          }
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
      if (maximum === 65_535) {
        return;
      }
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
