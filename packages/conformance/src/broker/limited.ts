import { check, checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { numberProperty } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import type { Lab } from "./lab.ts";
import { text } from "./messages.ts";
import { PROFILES, profileCapability } from "./profiles.ts";

const profile = PROFILES.limited;
const needs = [profileCapability(profile)];

/** A server that offers less than all of MQTT (3.2.2.3 in 5.0, 3.8.3 in 3.1.1). */
export const limitedCases: readonly BrokerCase[] = [
  rule({
    id: "limited/maximum-qos",
    title: "announces its highest QoS, and closes on a PUBLISH above it",
    v5: ["3.2.2-9"],
    needs,
    run: async (lab) => {
      const { peer, connack } = await lab.connectWith({ profile });
      checkEqual(numberProperty(connack, "maximumQoS", 2), 0, "Maximum QoS in CONNACK");
      peer.send(wire.publish("5.0", { topic: lab.topic(), qos: 1, packetId: 1 }));
      await peer.closes("PUBLISH above the Maximum QoS");
    },
  }),
  rule({
    id: "limited/subscribe-at-any-qos",
    title: "grants subscriptions at any QoS, and delivers at its own",
    v5: ["3.2.2-10", "3.8.4-8"],
    needs,
    run: async (lab) => {
      const topic = lab.topic();
      const peer = await lab.connect({ profile });
      for (const qos of [0, 1, 2]) {
        await peer.subscribe(`${topic}/${qos}`, qos);
      }
      await peer.publish({ topic: `${topic}/2`, payload: "low" });
      const message = await peer.message();
      checkEqual([text(message), message.qos], ["low", 0], "payload and QoS");
    },
  }),
  rule({
    id: "limited/will-qos",
    title: "refuses a will whose QoS it does not support",
    v5: ["3.2.2-12"],
    needs,
    run: (lab) => refuses(lab, { will: { topic: lab.topic(), qos: 1 } }, 0x9b),
  }),
  rule({
    id: "limited/will-retain",
    title: "refuses a will that is to be retained",
    v5: ["3.2.2-13"],
    needs,
    run: (lab) => refuses(lab, { will: { topic: lab.topic(), retain: true } }, 0x9a),
  }),
  rule({
    id: "limited/retain",
    title: "closes on a PUBLISH with RETAIN after Retain Available 0",
    v5: [],
    needs,
    run: async (lab) => {
      const { peer, connack } = await lab.connectWith({ profile });
      checkEqual(numberProperty(connack, "retainAvailable", 1), 0, "Retain Available in CONNACK");
      peer.send(wire.publish("5.0", { topic: lab.topic(), retain: true, payload: "x" }));
      await peer.closes("RETAIN although it is not available");
    },
  }),
  rule({
    id: "limited/wildcards",
    title: "refuses every subscription with a wildcard",
    v3: ["3.8.3-2"],
    v5: [],
    needs,
    run: async (lab) => {
      const peer = await lab.connect({ profile });
      const topic = lab.topic();
      peer.send(
        wire.subscribe(lab.version, 1, [
          [`${topic}/#`, 0],
          [`${topic}/+`, 0],
          [topic, 0],
        ]),
      );
      const suback = await peer.take("SUBACK").catch(() => undefined);
      if (suback === undefined) {
        return await peer.closes("a wildcard subscription that is not available");
      }
      const refusal = lab.five ? 0xa2 : 0x80;
      checkEqual(suback.reasonCodes, [refusal, refusal, 0], "SUBACK codes");
    },
  }),
  rule({
    id: "limited/shared",
    title: "refuses shared subscriptions and subscription identifiers that are not available",
    v5: [],
    needs,
    run: async (lab) => {
      const shared = await lab.connect({ profile });
      shared.send(wire.subscribe("5.0", 1, [[`$share/group/${lab.topic()}`, 0]]));
      const suback = await shared.take("SUBACK").catch(() => undefined);
      if (suback === undefined) {
        await shared.closes("a shared subscription that is not available");
      } else {
        checkEqual(suback.reasonCodes, [0x9e], "SUBACK codes");
      }
      const identified = await lab.connect({ profile });
      identified.send(wire.subscribe("5.0", 1, [[lab.topic(), 0]], [["subscriptionIdentifier", 1]]));
      const answer = await identified.take("SUBACK").catch(() => undefined);
      if (answer === undefined) {
        await identified.closes("a subscription identifier that is not available");
      } else {
        checkEqual(answer.reasonCodes, [0xa1], "SUBACK codes");
      }
    },
  }),
].flat();

async function refuses(lab: Lab, options: wire.ConnectOptions, recommended: number): Promise<void> {
  const peer = await lab.open(undefined, profile);
  peer.send(lab.connectBytes(options));
  const connack = await peer.take("CONNACK").catch(() => undefined);
  await peer.closes("a will the server does not support");
  check(connack === undefined || connack.reasonCode === recommended, `expected reason 0x${recommended.toString(16)}`);
}
