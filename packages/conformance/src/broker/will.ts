import { check, checkEqual } from "../failure.ts";
import type { Peer } from "../peer.ts";
import type { Property, WillOptions } from "../wire/index.ts";
import { bytes } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import type { Lab } from "./lab.ts";
import { text } from "./messages.ts";

/** The will message (3.1.2.5 to 3.1.2.7, 3.1.3.2, 3.14.4). */
export const willCases: readonly BrokerCase[] = [
  rule({
    id: "will/published",
    title: "publishes the will when the connection ends without DISCONNECT",
    v3: ["3.1.2-8", "3.1.2-16"],
    v5: ["3.1.2-7", "3.1.2-8", "3.1.2-14"],
    run: async (lab) => {
      const { watcher, peer, topic } = await withWill(lab, { qos: 1 });
      peer.drop();
      const will = await watcher.message();
      checkEqual([will.topic, text(will), will.qos, will.retain], [topic, "will", 1, false], "published will");
      const late = await lab.connect({ label: "late" });
      await late.subscribe(topic);
      await late.quiet("a will without Will Retain must not be retained");
    },
  }),
  rule({
    id: "will/not-after-disconnect",
    title: "discards the will on DISCONNECT",
    v3: ["3.14.4-3", "3.1.2-10", "3.1.2-8"],
    v5: ["3.14.4-3", "3.1.2-10", "3.1.2-8"],
    run: async (lab) => {
      const { watcher, peer } = await withWill(lab, {});
      peer.disconnect();
      await watcher.quiet("a will after DISCONNECT");
    },
  }),
  rule({
    id: "will/once",
    title: "forgets the will once it has been published",
    v3: ["3.1.2-10"],
    v5: ["3.1.2-10"],
    run: async (lab) => {
      const clientId = lab.clientId();
      const { watcher, peer } = await withWill(lab, { qos: 1 }, { clientId });
      peer.drop();
      await watcher.message();
      const again = await lab.connect({ clientId });
      again.drop();
      await watcher.quiet("the will of an earlier connection");
    },
  }),
  rule({
    id: "will/none-without-flag",
    title: "publishes nothing for a client without a will",
    v3: ["3.1.2-12"],
    v5: ["3.1.2-8"],
    run: async (lab) => {
      const { watcher, peer, topic } = await withWill(lab, { qos: 1 });
      const clientId = lab.clientId("plain");
      const plain = await lab.connect({ clientId, label: "plain" });
      plain.drop();
      await watcher.quiet("a will of a client that has none");
      peer.drop();
      checkEqual((await watcher.message()).topic, topic, "topic of the only will");
    },
  }),
  rule({
    id: "will/retained",
    title: "retains a will that asks for it",
    v3: ["3.1.2-17"],
    v5: ["3.1.2-15"],
    needs: ["retain"],
    run: async (lab) => {
      const { watcher, peer, topic } = await withWill(lab, { qos: 1, retain: true });
      peer.drop();
      await watcher.message();
      const late = await lab.connect({ label: "late" });
      await late.subscribe(topic);
      const retained = await late.message();
      checkEqual([text(retained), retained.retain], ["will", true], "retained will");
    },
  }),
  rule({
    id: "will/qos",
    title: "publishes the will at its QoS",
    v3: ["3.1.2-9"],
    v5: ["3.1.2-9"],
    run: async (lab) => {
      await Promise.all(
        [0, 1, 2].map(async (qos) => {
          const { watcher, peer } = await withWill(lab, { qos }, { name: `qos${qos}` });
          peer.drop();
          checkEqual((await watcher.message()).qos, qos, "QoS of the will");
        }),
      );
    },
  }),
  rule({
    id: "will/on-takeover",
    title: "publishes the will of a connection that is taken over",
    v3: ["3.1.2-8"],
    v5: ["3.1.2-8"],
    run: async (lab) => {
      const clientId = lab.clientId();
      const { watcher } = await withWill(lab, { qos: 1 }, { clientId });
      await lab.connect({ clientId, label: "newer" });
      checkEqual(text(await watcher.message()), "will", "will of the older connection");
    },
  }),
  rule({
    id: "will/on-protocol-error",
    title: "publishes the will when the server closes because of a protocol violation",
    v3: ["3.1.2-8"],
    v5: ["3.1.2-8"],
    run: async (lab) => {
      const { watcher, peer } = await withWill(lab, { qos: 1 });
      peer.send(bytes(0x00, 0x00));
      await peer.closes("reserved packet type");
      checkEqual(text(await watcher.message()), "will", "will after a protocol violation");
    },
  }),
  rule({
    id: "will/on-disconnect-with-will",
    title: "publishes the will on DISCONNECT with reason 0x04",
    v5: ["3.14.4-3", "3.1.2-8"],
    run: async (lab) => {
      const { watcher, peer } = await withWill(lab, { qos: 1 });
      peer.disconnect(0x04);
      checkEqual(text(await watcher.message()), "will", "will after DISCONNECT 0x04");
    },
  }),
  rule({
    id: "will/delay",
    title: "waits for the Will Delay Interval before it publishes the will",
    v5: ["3.1.2-8"],
    run: async (lab) => {
      const clientId = lab.clientId();
      const { watcher, peer } = await withWill(
        lab,
        { qos: 1, properties: [["willDelayInterval", 3]] },
        { clientId, expiry: 60 },
      );
      peer.drop();
      // Well before it: a server need not notice the end at once, nor count by less than a second.
      await watcher.quiet("a will before its delay has passed", ["PUBLISH"], 500);
      checkEqual(text(await watcher.message()), "will", "will after its delay");
    },
  }),
  rule({
    id: "will/delay-cancelled",
    title: "does not publish a delayed will when its client returns in time",
    v5: ["3.1.3-9"],
    run: async (lab) => {
      const clientId = lab.clientId();
      const { watcher, peer } = await withWill(
        lab,
        { qos: 1, properties: [["willDelayInterval", 1]] },
        { clientId, expiry: 60 },
      );
      peer.drop();
      await lab.connect(lab.persistent(clientId));
      await watcher.quiet("a will although the client returned within its delay", ["PUBLISH"], 2_000);
    },
  }),
  rule({
    id: "will/delay-ends-with-session",
    title: "publishes a delayed will when the session ends before the delay",
    v5: ["3.1.2-8"],
    run: async (lab) => {
      const clientId = lab.clientId();
      const { watcher, peer } = await withWill(
        lab,
        { qos: 1, properties: [["willDelayInterval", 3_600]] },
        { clientId, expiry: 1 },
      );
      peer.drop();
      checkEqual(text(await watcher.message()), "will", "will at the end of the session");
    },
  }),
  rule({
    id: "will/properties",
    title: "publishes the will with its properties, User Properties in order",
    v5: ["3.1.3-10", "3.1.2-9"],
    run: async (lab) => {
      const users: Property[] = ["b", "a", "b"].map((name, index) => ["userProperty", name, `${index}`]);
      const properties: Property[] = [["contentType", "text/plain"], ["responseTopic", "reply"], ...users];
      const { watcher, peer } = await withWill(lab, { qos: 1, properties });
      peer.drop();
      const will = await watcher.message();
      checkEqual(
        will.properties.filter(([name]) => name === "userProperty"),
        users,
        "User Properties of the will",
      );
      for (const wanted of properties.slice(0, 2)) {
        check(
          will.properties.some(([name, value]) => name === wanted[0] && value === wanted[1]),
          `expected the will to have ${wanted[0]}`,
        );
      }
    },
  }),
].flat();

interface WillClient {
  readonly clientId?: string;
  readonly name?: string;
  /** Session Expiry Interval in seconds. */
  readonly expiry?: number;
}

/** A watcher of the will's topic, and a client whose will is "will". */
async function withWill(
  lab: Lab,
  will: Omit<WillOptions, "topic">,
  client: WillClient = {},
): Promise<{ watcher: Peer; peer: Peer; topic: string }> {
  const topic = lab.topic(client.name ?? "will");
  const watcher = await lab.connect({ label: "watcher" });
  await watcher.subscribe(topic, 2);
  const peer = await lab.connect({
    label: "has will",
    will: { topic, payload: "will", ...will },
    ...(client.clientId === undefined ? {} : { clientId: client.clientId }),
    ...(client.expiry === undefined ? {} : { properties: [["sessionExpiryInterval", client.expiry]] }),
  });
  return { watcher, peer, topic };
}
