import { checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { Type } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import type { Lab } from "./lab.ts";
import { payloads, text } from "./messages.ts";

/** Clean Session, Clean Start, Session Present and what a session keeps (3.1.2.4, 4.1). */
export const sessionCases: readonly BrokerCase[] = [
  rule({
    id: "session/resumed",
    title: "resumes the session of a returning client with its subscriptions",
    v3: ["3.1.2-4", "3.1.4-3", "3.2.2-2", "3.2.2-3", "4.1.0-1", "3.1.3-2"],
    v5: ["3.1.2-5", "3.1.2-6", "3.1.2-23", "3.1.4-4", "3.2.2-3", "3.1.3-2"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const first = await lab.connectWith(options);
      checkEqual(first.connack.sessionPresent, false, "Session Present without a stored session");
      await first.peer.subscribe(topic, 1);
      first.peer.disconnect();
      const again = await lab.connectWith(options);
      checkEqual(again.connack.sessionPresent, true, "Session Present with a stored session");
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, payload: "still subscribed", qos: 1 });
      checkEqual(text(await again.peer.message()), "still subscribed", "payload");
    },
  }),
  rule({
    id: "session/without-subscriptions",
    title: "keeps a session that has no subscriptions",
    v3: ["3.2.2-2"],
    v5: ["3.2.2-3", "3.1.2-23"],
    run: async (lab) => {
      const options = lab.persistent(lab.clientId());
      (await lab.connect(options)).disconnect();
      const { connack } = await lab.connectWith(options);
      checkEqual(connack.sessionPresent, true, "Session Present");
    },
  }),
  rule({
    id: "session/per-client-id",
    title: "gives no client the session of another client id",
    v3: ["3.1.3-2", "3.2.2-3"],
    v5: ["3.1.3-2", "3.2.2-3"],
    run: async (lab) => {
      const topic = lab.topic();
      const mine = await lab.connect(lab.persistent(lab.clientId("a")));
      await mine.subscribe(topic, 1);
      mine.disconnect();
      const other = await lab.connectWith(lab.persistent(lab.clientId("b")));
      checkEqual(other.connack.sessionPresent, false, "Session Present for another client id");
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 1 });
      await other.peer.quiet("a message for another client's subscription");
    },
  }),
  rule({
    id: "session/clean-discards",
    title: "discards the stored session when the client asks for a clean one",
    v3: ["3.1.2-6", "3.2.2-1"],
    v5: ["3.1.2-4", "3.2.2-2"],
    run: async (lab) => {
      const topic = lab.topic();
      const clientId = lab.clientId();
      const first = await lab.connect(lab.persistent(clientId));
      await first.subscribe(topic, 1);
      first.disconnect();
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 1, payload: "queued" });
      const clean = await lab.connectWith({ clientId, clean: true });
      checkEqual(clean.connack.sessionPresent, false, "Session Present with a clean start");
      await publisher.publish({ topic, qos: 1, payload: "later" });
      await clean.peer.quiet("a subscription or message of the discarded session");
    },
  }),
  rule({
    id: "session/clean-ends-with-connection",
    title: "keeps nothing of a session that ends with its connection",
    v3: ["3.1.2-6", "3.2.2-3"],
    v5: ["4.1.0-2", "3.2.2-3"],
    run: async (lab) => {
      const topic = lab.topic();
      const clientId = lab.clientId();
      const first = await lab.connect({ clientId });
      await first.subscribe(topic, 1);
      first.disconnect();
      await lab.wait(100);
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 1 });
      const again = await lab.connectWith({ clientId, clean: false });
      checkEqual(again.connack.sessionPresent, false, "Session Present after a session without expiry");
      await again.peer.quiet("a subscription of the ended session");
    },
  }),
  rule({
    id: "session/queues-while-offline",
    title: "queues QoS 1 and QoS 2 messages for an offline session, in order at each QoS",
    v3: ["3.1.2-5", "4.5.0-1"],
    v5: ["4.5.0-1", "4.1.0-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const subscriber = await lab.connect(options);
      await subscriber.subscribe(topic, 2);
      subscriber.drop();
      const publisher = await lab.connect({ label: "publisher" });
      for (const [index, qos] of [1, 2, 1, 2].entries()) {
        await publisher.publish({ topic, qos, payload: `${index}` });
      }
      const again = await lab.connect(options);
      const found = await payloads(again, 4);
      checkEqual([...found].sort(), ["0", "1", "2", "3"], "messages that waited");
      for (const pair of [
        ["0", "2"],
        ["1", "3"],
      ]) {
        checkEqual(
          found.filter((payload) => pair.includes(payload)),
          pair,
          "order of messages at the same QoS",
        );
      }
    },
  }),
  rule({
    id: "session/lasts-while-connected",
    title: "keeps the session as long as its connection is open",
    v3: ["4.1.0-2", "4.1.0-1"],
    v5: ["4.1.0-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic, 1);
      for (let round = 0; round < 3; round += 1) {
        await lab.wait(400);
        await publisher.publish({ topic, qos: 1, payload: `${round}` });
        checkEqual(text(await subscriber.message()), `${round}`, "message on a clean session");
      }
    },
  }),
  rule({
    id: "session/retained-not-part-of-it",
    title: "keeps retained messages when the publisher's session ends",
    v3: ["3.1.2-7"],
    v5: ["3.3.1-5"],
    run: async (lab) => {
      const topic = lab.topic();
      const clientId = lab.clientId();
      const publisher = await lab.connect({ clientId });
      await lab.retain(publisher, { topic, payload: "kept" });
      publisher.disconnect();
      (await lab.connect({ clientId, clean: true })).disconnect();
      const reader = await lab.connect({ label: "reader" });
      await reader.subscribe(topic);
      checkEqual(text(await reader.message()), "kept", "retained payload");
    },
  }),
  rule({
    id: "session/qos2-state-survives",
    title: "remembers an unreleased QoS 2 identifier across a reconnection",
    v3: ["4.1.0-1", "4.3.3-2", "3.1.2-4"],
    v5: ["3.1.2-5", "4.3.3-10"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const watcher = await lab.connect({ label: "watcher" });
      await watcher.subscribe(topic, 2);
      const sender = await lab.connect(options);
      sender.send(wire.publish(lab.version, { topic, payload: "once", qos: 2, packetId: 7 }));
      await sender.take("PUBREC");
      sender.drop();
      const again = await lab.connect(options);
      again.send(wire.publish(lab.version, { topic, payload: "once", qos: 2, packetId: 7, dup: true }));
      await again.take("PUBREC");
      again.send(wire.ack(Type.PUBREL, 7));
      await again.take("PUBCOMP");
      checkEqual(text(await watcher.message()), "once", "payload");
      await watcher.quiet("the same QoS 2 message again");
    },
  }),
  rule({
    id: "session/expiry",
    title: "deletes the session when its expiry interval has passed",
    v5: ["4.1.0-2"],
    run: async (lab) => {
      const clientId = lab.clientId();
      const first = await lab.connect({ clientId, clean: false, properties: [["sessionExpiryInterval", 1]] });
      first.drop();
      await lab.wait(2_500);
      const { connack } = await lab.connectWith({ clientId, clean: false });
      checkEqual(connack.sessionPresent, false, "Session Present after the expiry interval");
    },
  }),
  rule({
    id: "session/expiry-not-early",
    title: "keeps the session until its expiry interval has passed",
    v5: ["3.1.2-23"],
    run: async (lab) => {
      const clientId = lab.clientId();
      const first = await lab.connect({ clientId, clean: false, properties: [["sessionExpiryInterval", 60]] });
      await first.subscribe(lab.topic());
      first.drop();
      await lab.wait(1_200);
      const { connack } = await lab.connectWith({ clientId, clean: false });
      checkEqual(connack.sessionPresent, true, "Session Present before the expiry interval has passed");
    },
  }),
  rule({
    id: "session/expiry-never",
    title: "takes 0xFFFFFFFF as a session that does not expire",
    v5: ["3.1.2-23"],
    run: async (lab) => {
      const clientId = lab.clientId();
      const properties: [["sessionExpiryInterval", number]] = [["sessionExpiryInterval", 0xffff_ffff]];
      const first = await lab.connect({ clientId, clean: false, properties });
      await first.subscribe(lab.topic());
      first.drop();
      await lab.wait(1_200);
      const { connack } = await lab.connectWith({ clientId, clean: false });
      checkEqual(connack.sessionPresent, true, "Session Present");
    },
  }),
  rule({
    id: "session/expiry-changed-by-disconnect",
    title: "takes a new expiry interval from DISCONNECT",
    v5: ["3.1.2-23", "4.1.0-2"],
    run: async (lab) => {
      const ends = lab.clientId("ends");
      const stays = lab.clientId("stays");
      await leave(lab, ends, 60, 0);
      await leave(lab, stays, 1, 60);
      await lab.wait(2_000);
      const ended = await lab.connectWith({ clientId: ends, clean: false });
      checkEqual(ended.connack.sessionPresent, false, "Session Present after DISCONNECT with expiry 0");
      const stayed = await lab.connectWith({ clientId: stays, clean: false });
      checkEqual(stayed.connack.sessionPresent, true, "Session Present after DISCONNECT with expiry 60");
    },
  }),
  rule({
    id: "session/expiry-raised-from-zero",
    title: "closes the connection on a DISCONNECT that sets an expiry where CONNECT had none",
    v5: [],
    run: async (lab) => {
      const clientId = lab.clientId();
      const peer = await lab.connect({ clientId });
      peer.send(wire.disconnect(0, [["sessionExpiryInterval", 60]]));
      await peer.closes("expiry raised from 0");
      const { connack } = await lab.connectWith(lab.persistent(clientId));
      checkEqual(connack.sessionPresent, false, "Session Present after a raise that is a protocol error");
    },
  }),
].flat();

async function leave(lab: Lab, clientId: string, atConnect: number, atDisconnect: number): Promise<void> {
  const peer = await lab.connect({ clientId, clean: false, properties: [["sessionExpiryInterval", atConnect]] });
  await peer.subscribe(lab.topic());
  peer.disconnect(0, [["sessionExpiryInterval", atDisconnect]]);
}
