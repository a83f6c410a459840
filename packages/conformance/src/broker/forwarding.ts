import { check, checkEqual } from "../failure.ts";
import type { Property } from "../wire/index.ts";
import { allOf, bytes, numberProperty, property } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import { text } from "./messages.ts";

/** What a message keeps on its way through the server, and how it ages (MQTT 5.0, 3.3.2.3). */
export const forwardingCases: readonly BrokerCase[] = [
  forwards("payload-format-indicator", ["3.3.2-4"], ["payloadFormatIndicator", 1]),
  forwards("response-topic", ["3.3.2-15"], ["responseTopic", "reply/to/\u00fcber"]),
  forwards("correlation-data", ["3.3.2-16"], ["correlationData", bytes(0, 255, 1, 0)]),
  forwards("content-type", ["3.3.2-20"], ["contentType", "application/json"]),
  rule({
    id: "forwarding/user-properties",
    title: "forwards all User Properties unchanged and in order, repeated names included",
    v5: ["3.3.2-17", "3.3.2-18"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 1);
      const users: Property[] = [
        ["userProperty", "b", "1"],
        ["userProperty", "a", ""],
        ["userProperty", "b", "2"],
        ["userProperty", "", "no name"],
        ["userProperty", "b", "1"],
      ];
      await publisher.publish({ topic, qos: 1, properties: users });
      checkEqual(allOf(await subscriber.message(), "userProperty"), users, "User Properties");
    },
  }),
  rule({
    id: "forwarding/payload",
    title: "forwards payloads of any content and size unchanged",
    v3: ["4.5.0-1"],
    v5: ["4.5.0-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 1);
      for (const size of [0, 1, 127, 128, 16_383, 16_384, 100_000]) {
        const payload = Uint8Array.from({ length: size }, (_, index) => (index * 31) & 0xff);
        await publisher.publish({ topic, qos: 1, payload });
        const received = (await subscriber.message()).payload;
        checkEqual(received.length, size, "payload length");
        check(
          received.every((byte, index) => byte === payload[index]),
          `expected a payload of ${size} bytes unchanged`,
        );
      }
    },
  }),
  rule({
    id: "forwarding/properties-of-retained",
    title: "keeps the properties of a retained message",
    v5: ["3.3.2-4", "3.3.2-15", "3.3.2-16", "3.3.2-20", "3.3.2-17"],
    needs: ["retain"],
    run: async (lab) => {
      const topic = lab.topic();
      const properties: Property[] = [
        ["payloadFormatIndicator", 1],
        ["contentType", "text/plain"],
        ["responseTopic", "reply"],
        ["correlationData", bytes(1, 2)],
        ["userProperty", "name", "value"],
      ];
      const publisher = await lab.connect({ label: "publisher" });
      await lab.retain(publisher, { topic, payload: "kept", properties });
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribe(topic, 1);
      const message = await subscriber.message();
      for (const [name, ...value] of properties) {
        checkEqual(
          allOf(message, name).map(([, ...values]) => values),
          [value],
          name,
        );
      }
    },
  }),
  rule({
    id: "forwarding/expiry-counts-down",
    title: "forwards the Message Expiry Interval less the time spent waiting",
    v5: ["3.3.2-6"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const subscriber = await lab.connect(options);
      await subscriber.subscribe(topic, 1);
      subscriber.drop();
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 1, properties: [["messageExpiryInterval", 100]] });
      await lab.wait(2_100);
      const again = await lab.connect(options);
      const left = numberProperty(await again.message(), "messageExpiryInterval", -1);
      // The server may count whole seconds its own way, but two of them have passed.
      check(left >= 80 && left <= 98, `expected about 98 seconds left, got ${left}`);
    },
  }),
  rule({
    id: "forwarding/expired-while-offline",
    title: "does not deliver a message that expired before its delivery began",
    v5: ["3.3.2-5"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const subscriber = await lab.connect(options);
      await subscriber.subscribe(topic, 1);
      subscriber.drop();
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 1, payload: "short", properties: [["messageExpiryInterval", 1]] });
      await publisher.publish({ topic, qos: 1, payload: "long" });
      await lab.wait(2_500);
      const again = await lab.connect(options);
      checkEqual(text(await again.message()), "long", "first message delivered");
    },
  }),
  rule({
    id: "forwarding/expired-retained",
    title: "does not send a retained message that has expired",
    v5: ["3.3.2-5"],
    needs: ["retain"],
    run: async (lab) => {
      const topic = lab.topic();
      const publisher = await lab.connect({ label: "publisher" });
      await lab.retain(publisher, { topic, payload: "short", properties: [["messageExpiryInterval", 1]] });
      await lab.wait(2_500);
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribe(topic, 1);
      await subscriber.quiet("a retained message after its expiry");
    },
  }),
].flat();

/** The property reaches subscribers at every QoS with the value it had. */
function forwards(id: string, v5: readonly string[], wanted: Property): BrokerCase[] {
  return rule({
    id: `forwarding/${id}`,
    title: `forwards ${wanted[0]} unchanged`,
    v5,
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 2);
      for (const qos of [0, 1, 2]) {
        await publisher.publish({ topic, qos, properties: [wanted] });
        checkEqual(property(await subscriber.message(), wanted[0]), wanted[1], `${wanted[0]} at QoS ${qos}`);
      }
    },
  });
}
