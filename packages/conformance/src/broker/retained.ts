import { checkEqual } from "../failure.ts";
import { type BrokerCase, rule } from "./define.ts";
import { payloads, text } from "./messages.ts";

const RETAIN_AS_PUBLISHED = 0x08;
const RETAIN_ON_NEW = 0x10;
const RETAIN_NEVER = 0x20;

/** Retained messages (3.3.1.3) and, in 5.0, the subscription options about them (3.8.3.1). */
export const retainedCases: readonly BrokerCase[] = [
  rule({
    id: "retained/sent-to-new-subscription",
    title: "sends the retained message, with RETAIN, to a new subscription",
    v3: ["3.3.1-5", "3.3.1-6", "3.3.1-8"],
    v5: ["3.3.1-5", "3.3.1-9"],
    needs: ["retain"],
    run: async (lab) => {
      const topic = lab.topic();
      const publisher = await lab.connect({ label: "publisher" });
      await lab.retain(publisher, { topic, payload: "first" });
      await lab.retain(publisher, { topic, payload: "second" });
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribe(topic, 1);
      const retained = await subscriber.message();
      checkEqual(
        [retained.topic, text(retained), retained.retain, retained.qos],
        [topic, "second", true, 1],
        "retained message",
      );
      await subscriber.quiet("a second retained message of the same topic");
    },
  }),
  rule({
    id: "retained/through-wildcards",
    title: "sends the retained messages of all topics that a wildcard filter matches",
    v3: ["3.3.1-6"],
    v5: ["3.3.1-9"],
    needs: ["retain"],
    run: async (lab) => {
      const base = lab.topic();
      const publisher = await lab.connect({ label: "publisher" });
      for (const name of ["a", "b", "c/d"]) {
        await lab.retain(publisher, { topic: `${base}/${name}`, payload: name });
      }
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribe(`${base}/#`, 1);
      checkEqual((await payloads(subscriber, 3)).sort(), ["a", "b", "c/d"], "retained messages");
    },
  }),
  rule({
    id: "retained/flag-off-for-established",
    title: "forwards to an established subscription without RETAIN",
    v3: ["3.3.1-9"],
    v5: ["3.3.1-12"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 1);
      await lab.retain(publisher, { topic, payload: "live" });
      checkEqual((await subscriber.message()).retain, false, "RETAIN of a message to an established subscription");
    },
  }),
  rule({
    id: "retained/empty-payload-deletes",
    title: "forwards an empty retained message and deletes the stored one",
    v3: ["3.3.1-10", "3.3.1-11"],
    v5: ["3.3.1-6", "3.3.1-7"],
    needs: ["retain"],
    run: async (lab) => {
      const topic = lab.topic();
      const publisher = await lab.connect({ label: "publisher" });
      await lab.retain(publisher, { topic, payload: "stored" });
      const present = await lab.connect({ label: "present" });
      await present.subscribe(topic, 1);
      await present.message();
      await lab.retain(publisher, { topic, payload: "" });
      checkEqual((await present.message()).payload.length, 0, "payload of the deleting message");
      const later = await lab.connect({ label: "later" });
      await later.subscribe(topic, 1);
      await later.quiet("a retained message after its deletion");
    },
  }),
  rule({
    id: "retained/only-when-asked",
    title: "does not retain a message without RETAIN, nor replace the stored one by it",
    v3: ["3.3.1-12"],
    v5: ["3.3.1-8"],
    needs: ["retain"],
    run: async (lab) => {
      const plain = lab.topic("plain");
      const stored = lab.topic("stored");
      const publisher = await lab.connect({ label: "publisher" });
      await lab.retain(publisher, { topic: stored, payload: "kept" });
      for (const topic of [plain, stored]) {
        await publisher.publish({ topic, payload: "passing", qos: 1 });
      }
      const later = await lab.connect({ label: "later" });
      await later.subscribe(plain, 1);
      await later.subscribe(stored, 1);
      checkEqual(text(await later.message()), "kept", "retained payload");
      await later.quiet("a message that was not retained");
    },
  }),
  rule({
    id: "retained/qos-0-replaces",
    title: "drops the stored message when a retained QoS 0 message comes",
    v3: ["3.3.1-7"],
    v5: ["3.3.1-5"],
    needs: ["retain"],
    run: async (lab) => {
      const topic = lab.topic();
      const publisher = await lab.connect({ label: "publisher" });
      await lab.retain(publisher, { topic, payload: "old", qos: 1 });
      await lab.retain(publisher, { topic, payload: "new", qos: 0 });
      // QoS 0 has no answer to wait for, and a server may store beside its other work.
      await publisher.ping();
      await lab.wait(lab.quietMs);
      const later = await lab.connect({ label: "later" });
      await later.subscribe(topic, 1);
      await lab.wait(lab.quietMs);
      const found = later.received.filter(({ topic: name }) => name === topic).map(text);
      // Keeping the QoS 0 message is up to the server in 3.1.1, and so is how long in 5.0; the old one is gone.
      checkEqual(found.includes("old"), false, "delivery of the replaced message");
    },
  }),
  rule({
    id: "retained/sent-again-on-resubscribe",
    title: "sends retained messages again when the same filter is subscribed again",
    v3: ["3.8.4-3"],
    v5: ["3.8.4-4", "3.3.1-9"],
    needs: ["retain"],
    run: async (lab) => {
      const topic = lab.topic();
      const publisher = await lab.connect({ label: "publisher" });
      await lab.retain(publisher, { topic, payload: "kept" });
      const subscriber = await lab.connect({ label: "subscriber" });
      for (let round = 0; round < 2; round += 1) {
        await subscriber.subscribe(topic, 1);
        checkEqual(text(await subscriber.message()), "kept", "retained payload");
      }
    },
  }),
  rule({
    id: "retained/handling-1",
    title: "with Retain Handling 1 sends retained messages only for a new subscription",
    v5: ["3.3.1-10"],
    needs: ["retain"],
    run: async (lab) => {
      const topic = lab.topic();
      const publisher = await lab.connect({ label: "publisher" });
      await lab.retain(publisher, { topic, payload: "kept" });
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribe(topic, 1 | RETAIN_ON_NEW);
      checkEqual(text(await subscriber.message()), "kept", "retained payload for the new subscription");
      await subscriber.subscribe(topic, 1 | RETAIN_ON_NEW);
      await subscriber.quiet("retained messages for an existing subscription with Retain Handling 1");
    },
  }),
  rule({
    id: "retained/handling-2",
    title: "with Retain Handling 2 sends no retained messages",
    v5: ["3.3.1-11"],
    needs: ["retain"],
    run: async (lab) => {
      const topic = lab.topic();
      const publisher = await lab.connect({ label: "publisher" });
      await lab.retain(publisher, { topic, payload: "kept" });
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribe(topic, 1 | RETAIN_NEVER);
      await subscriber.quiet("retained messages with Retain Handling 2");
    },
  }),
  rule({
    id: "retained/as-published",
    title: "keeps the publisher's RETAIN with Retain As Published and clears it without",
    v5: ["3.3.1-12", "3.3.1-13"],
    needs: ["retain"],
    run: async (lab) => {
      const topic = lab.topic();
      const keeps = await lab.connect({ label: "keeps" });
      const clears = await lab.connect({ label: "clears" });
      await keeps.subscribe(topic, 1 | RETAIN_AS_PUBLISHED);
      await clears.subscribe(topic, 1);
      const publisher = await lab.connect({ label: "publisher" });
      await lab.retain(publisher, { topic, payload: "retained" });
      await publisher.publish({ topic, payload: "plain", qos: 1 });
      checkEqual(
        [(await keeps.message()).retain, (await keeps.message()).retain],
        [true, false],
        "RETAIN as published",
      );
      checkEqual([(await clears.message()).retain, (await clears.message()).retain], [false, false], "RETAIN cleared");
    },
  }),
  rule({
    id: "retained/shared-subscription",
    title: "sends no retained messages to a shared subscription",
    v5: [],
    needs: ["retain", "shared"],
    run: async (lab) => {
      const topic = lab.topic();
      const publisher = await lab.connect({ label: "publisher" });
      await lab.retain(publisher, { topic, payload: "kept" });
      const subscriber = await lab.connect({ label: "subscriber" });
      await subscriber.subscribe(`$share/group/${topic}`, 1);
      await subscriber.quiet("a retained message for a new shared subscription");
    },
  }),
].flat();
