import { check, checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { concat } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import { text } from "./messages.ts";

/** Reason codes of UNSUBACK (MQTT 5.0, 3.11.3). */
const UNSUBACK_CODES: readonly number[] = [0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91];

/** UNSUBSCRIBE and UNSUBACK (3.10, 3.11). */
export const unsubscribeCases: readonly BrokerCase[] = [
  rule({
    id: "unsubscribe/unsuback",
    title: "answers UNSUBSCRIBE with UNSUBACK under its identifier, also when nothing was subscribed",
    v3: ["3.10.4-4", "3.10.4-5", "2.3.1-7"],
    v5: ["3.10.4-4", "3.10.4-5", "2.2.1-6"],
    run: async (lab) => {
      const topic = lab.topic();
      const peer = await lab.connect();
      await peer.subscribe(topic);
      for (const [packetId, filter] of [
        [43_981, topic],
        [1, lab.topic("never")],
      ] as const) {
        peer.send(wire.unsubscribe(lab.version, packetId, [filter]));
        checkEqual((await peer.take("UNSUBACK")).packetId, packetId, "UNSUBACK identifier");
      }
    },
  }),
  rule({
    id: "unsubscribe/ends-delivery",
    title: "sends nothing more for a filter that was unsubscribed",
    v3: ["3.10.4-2", "3.10.4-1"],
    v5: ["3.10.4-2", "3.10.4-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 1);
      await subscriber.unsubscribe(topic);
      await publisher.publish({ topic, qos: 1 });
      await subscriber.quiet("a message after UNSUBSCRIBE");
    },
  }),
  rule({
    id: "unsubscribe/exact-filter",
    title: "removes the filter that is the same character by character, and no other",
    v3: ["3.10.4-1"],
    v5: ["3.10.4-1"],
    run: async (lab) => {
      const base = lab.topic();
      const { subscriber, publisher } = await lab.pair(`${base}/a`, 1);
      await subscriber.unsubscribe(`${base}/#`, `${base}/+`, `${base}/A`, base, `${base}/a/`);
      await publisher.publish({ topic: `${base}/a`, qos: 1, payload: "still" });
      checkEqual(text(await subscriber.message()), "still", "payload");
    },
  }),
  rule({
    id: "unsubscribe/several-filters",
    title: "treats several filters as several UNSUBSCRIBEs with one UNSUBACK",
    v3: ["3.10.4-6"],
    v5: ["3.10.4-6", "3.11.3-1", "3.11.3-2"],
    run: async (lab) => {
      const topics = ["a", "b", "c"].map((name) => lab.topic(name));
      const [a = "", b = "", c = ""] = topics;
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribeAll([
        [a, 1],
        [c, 1],
      ]);
      const unsuback = await subscriber.unsubscribe(b, a, c);
      if (lab.five) {
        checkEqual(unsuback.reasonCodes.length, 3, "number of codes");
        for (const code of unsuback.reasonCodes) {
          check(UNSUBACK_CODES.includes(code), `expected an UNSUBACK code, got ${code}`);
        }
        checkEqual(unsuback.reasonCodes, [0x11, 0, 0], "codes in the order of the filters");
      }
      await subscriber.quiet("a second UNSUBACK", ["UNSUBACK"], 50);
      const publisher = await lab.connect({ label: "publisher" });
      for (const topic of topics) {
        await publisher.publish({ topic, qos: 1 });
      }
      await subscriber.quiet("a message after UNSUBSCRIBE");
    },
  }),
  rule({
    id: "unsubscribe/finishes-what-began",
    title: "completes the QoS 1 and 2 deliveries that had begun before UNSUBSCRIBE",
    v3: ["3.10.4-3"],
    v5: ["3.10.4-3"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const subscriber = await lab.connect(options);
      await subscriber.subscribe(topic, 2);
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 2, payload: "two" });
      await publisher.publish({ topic, qos: 1, payload: "one" });
      const second = await subscriber.take("PUBLISH", ({ qos }) => qos === 2);
      await subscriber.take("PUBLISH", ({ qos }) => qos === 1);
      await subscriber.unsubscribe(topic);
      await subscriber.acknowledge(second);
      subscriber.drop();
      const again = await lab.connect(options);
      checkEqual(text(await again.message()), "one", "the delivery that had not been acknowledged");
    },
  }),
  rule({
    id: "unsubscribe/pipelined",
    title: "handles SUBSCRIBE and UNSUBSCRIBE in the order they come",
    v3: ["4.5.0-1"],
    v5: ["4.5.0-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const peer = await lab.connect();
      const { version } = lab;
      peer.send(
        concat(
          wire.subscribe(version, 1, [[topic, 1]]),
          wire.unsubscribe(version, 2, [topic]),
          wire.subscribe(version, 3, [[topic, 1]]),
        ),
      );
      for (const type of ["SUBACK", "UNSUBACK", "SUBACK"] as const) {
        await peer.take(type);
      }
      await peer.publish({ topic, qos: 1, payload: "subscribed at last" });
      checkEqual(text(await peer.message()), "subscribed at last", "payload");
    },
  }),
].flat();
