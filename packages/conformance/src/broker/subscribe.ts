import { check, checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { allOf } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import { payloads, text } from "./messages.ts";

const NO_LOCAL = 0x04;

/** Reason codes of SUBACK (MQTT 5.0, 3.9.3). */
const SUBACK_CODES: readonly number[] = [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2];

/** SUBSCRIBE, SUBACK and the subscription options (3.8, 3.9, 3.3.5). */
export const subscribeCases: readonly BrokerCase[] = [
  rule({
    id: "subscribe/suback",
    title: "answers SUBSCRIBE with SUBACK under its identifier, a code for each filter in order",
    v3: ["3.8.4-1", "3.8.4-2", "3.8.4-4", "3.8.4-5", "3.9.3-1", "3.9.3-2", "2.3.1-7"],
    v5: ["3.8.4-1", "3.8.4-2", "3.8.4-5", "3.8.4-6", "3.8.4-7", "3.9.3-1", "3.9.3-2", "2.2.1-6"],
    run: async (lab) => {
      const peer = await lab.connect();
      const requested = [2, 0, 1, 0, 2, 1];
      const subscriptions = requested.map((qos, index): wire.Subscription => [lab.topic(`${index}`), qos]);
      peer.send(wire.subscribe(lab.version, 51_966, subscriptions));
      const suback = await peer.take("SUBACK");
      checkEqual(suback.packetId, 51_966, "SUBACK identifier");
      checkEqual(suback.reasonCodes.length, requested.length, "number of codes");
      for (const [index, code] of suback.reasonCodes.entries()) {
        const known = lab.five ? SUBACK_CODES : [0, 1, 2, 0x80];
        check(known.includes(code), `expected a SUBACK code, got ${code}`);
        check(code >= 0x80 || code <= (requested[index] ?? 0), `expected at most QoS ${requested[index]}, got ${code}`);
      }
    },
  }),
  rule({
    id: "subscribe/delivered-qos",
    title: "delivers at the lower of published and granted QoS",
    v3: ["3.8.4-6"],
    v5: ["3.8.4-8"],
    run: async (lab) => {
      const topic = lab.topic();
      const publisher = await lab.connect({ label: "publisher" });
      await Promise.all(
        [0, 1, 2].map(async (requested) => {
          const subscriber = await lab.connect({ label: `granted ${requested}` });
          const suback = await subscriber.subscribe(`${topic}/${requested}`, requested);
          const granted = suback.reasonCodes[0] ?? 0;
          for (const qos of [0, 1, 2]) {
            await publisher.publish({ topic: `${topic}/${requested}`, qos, payload: `${qos}` });
            const message = await subscriber.message();
            checkEqual(message.qos, Math.min(qos, granted), `QoS of a QoS ${qos} message, ${granted} granted`);
          }
        }),
      );
    },
  }),
  rule({
    id: "subscribe/replaces",
    title: "replaces a subscription with the same filter",
    v3: ["3.8.4-3"],
    v5: ["3.8.4-3"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 2);
      await subscriber.subscribe(topic, 0);
      await publisher.publish({ topic, qos: 2, payload: "once" });
      checkEqual((await subscriber.message()).qos, 0, "QoS by the new subscription");
      await subscriber.quiet("a second delivery by the replaced subscription");
    },
  }),
  rule({
    id: "subscribe/replaces-without-loss",
    title: "loses no message while a subscription is replaced",
    v3: ["3.8.4-3"],
    v5: ["3.8.4-4"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 1);
      const numbers = Array.from({ length: 10 }, (_, index) => `${index}`);
      const publishing = (async () => {
        for (const payload of numbers) {
          await publisher.publish({ topic, qos: 1, payload });
        }
      })();
      for (let round = 0; round < 5; round += 1) {
        await subscriber.subscribe(topic, 1);
      }
      await publishing;
      checkEqual(await payloads(subscriber, numbers.length), numbers, "messages around the replacement");
    },
  }),
  rule({
    id: "subscribe/several-filters",
    title: "treats several filters as several subscriptions with one SUBACK",
    v3: ["3.8.4-4"],
    v5: ["3.8.4-5"],
    run: async (lab) => {
      const topics = ["a", "b", "c"].map((name) => lab.topic(name));
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribeAll(topics.map((topic): wire.Subscription => [topic, 1]));
      await subscriber.quiet("a second SUBACK", ["SUBACK"], 50);
      const publisher = await lab.connect({ label: "publisher" });
      for (const topic of topics) {
        await publisher.publish({ topic, qos: 1, payload: topic });
      }
      checkEqual(await payloads(subscriber, 3), topics, "messages of the three subscriptions");
    },
  }),
  rule({
    id: "subscribe/overlapping",
    title: "delivers overlapping subscriptions at the highest QoS among them",
    v3: ["3.3.5-1"],
    v5: ["3.3.4-2"],
    run: async (lab) => {
      const base = lab.topic();
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribeAll([
        [`${base}/#`, 0],
        [`${base}/a`, 2],
        [`${base}/+`, 1],
      ]);
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic: `${base}/a`, qos: 2 });
      const highest = await subscriber.message(({ qos }) => qos === 2);
      checkEqual(highest.topic, `${base}/a`, "topic");
    },
  }),
  rule({
    id: "subscribe/no-local",
    title: "with No Local does not send a client its own messages",
    v5: ["3.8.3-3"],
    run: async (lab) => {
      const topic = lab.topic();
      const peer = await lab.connect({ label: "both" });
      await peer.subscribe(topic, NO_LOCAL);
      await peer.publish({ topic, qos: 1, payload: "own" });
      await peer.quiet("its own message in spite of No Local");
      const other = await lab.connect({ label: "other" });
      await other.publish({ topic, qos: 1, payload: "foreign" });
      checkEqual(text(await peer.message()), "foreign", "payload of another client's message");
    },
  }),
  rule({
    id: "subscribe/own-messages",
    title: "sends a client its own messages where it subscribed to them",
    v3: ["4.5.0-1"],
    v5: ["4.5.0-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const peer = await lab.connect();
      await peer.subscribe(topic, 1);
      await peer.publish({ topic, qos: 1, payload: "own" });
      checkEqual(text(await peer.message()), "own", "payload");
    },
  }),
  rule({
    id: "subscribe/identifier",
    title: "puts the Subscription Identifier into the messages of its subscription",
    v5: ["3.3.4-3"],
    needs: ["subscription-identifiers"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 1, [["subscriptionIdentifier", 268_435_455]]);
      await publisher.publish({ topic, qos: 1 });
      checkEqual(ids(await subscriber.message()), [268_435_455], "Subscription Identifiers");
    },
  }),
  rule({
    id: "subscribe/identifiers-overlapping",
    title: "lists the identifiers of all matching subscriptions, over one copy or several",
    v5: ["3.3.4-3", "3.3.4-4", "3.3.4-5"],
    needs: ["subscription-identifiers"],
    run: async (lab) => {
      const base = lab.topic();
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribe(`${base}/#`, 1, [["subscriptionIdentifier", 7]]);
      await subscriber.subscribe(`${base}/a`, 1, [["subscriptionIdentifier", 300]]);
      await subscriber.subscribe(`${base}/+`, 1);
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic: `${base}/a`, qos: 1 });
      const first = await subscriber.message();
      await lab.wait(lab.quietMs);
      const copies = subscriber.received.filter(({ type }) => type === first.type);
      checkEqual(
        copies.flatMap(ids).sort((a, b) => a - b),
        [7, 300],
        "Subscription Identifiers of all copies",
      );
      if (copies.length > 1) {
        for (const copy of copies) {
          check(ids(copy).length <= 1, "expected one identifier a copy");
        }
      }
    },
  }),
  rule({
    id: "subscribe/identifier-replaced",
    title: "replaces the Subscription Identifier along with the subscription",
    v5: ["3.8.4-3"],
    needs: ["subscription-identifiers"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 1, [["subscriptionIdentifier", 1]]);
      await subscriber.subscribe(topic, 1, [["subscriptionIdentifier", 2]]);
      await publisher.publish({ topic, qos: 1 });
      checkEqual(ids(await subscriber.message()), [2], "Subscription Identifiers");
    },
  }),
].flat();

function ids(packet: Parameters<typeof allOf>[0]): number[] {
  return allOf(packet, "subscriptionIdentifier").map(([, value]) => Number(value));
}
