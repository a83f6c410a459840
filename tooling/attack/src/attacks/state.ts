import { PacketType } from "@tidewire/codec";
import { PACKET_IDENTIFIER_NOT_FOUND, PROTOCOL_ERROR, RECEIVE_MAXIMUM_EXCEEDED } from "@tidewire/codec/codes";
import type { Attack } from "../attack.ts";
import { hex, publish, subscribe } from "../bytes.ts";
import { codeText, endsConnection } from "../cases.ts";
import type { Context } from "../context.ts";
import type { Peer } from "../peer.ts";
import { pick } from "../random.ts";
import { ONE_TRANSPORT, V5 } from "../variant.ts";
import { sleep } from "../wait.ts";

export const state: readonly Attack[] = [
  {
    id: "32",
    title: "65,535 QoS 2 messages that are never released, and one id again and again",
    expected: "0x93 above Receive Maximum in MQTT 5; bounded in 3.1.1",
    on: ONE_TRANSPORT,
    bounds: { memoryMb: 120 },
    async run(t) {
      const { version } = t.variant;
      const peer = await t.client({ clientId: t.clientId(), cleanStart: false });
      for (let id = 1; id <= 65_535 && !peer.closed; id += 1) {
        peer.channel.send(publish(version, "own/mallory/x", "x", { first: 0x34, packetId: id }));
        peer.received.length = 0;
        if (id % 256 === 0) {
          await peer.channel.drained();
        }
      }
      const isServed = await peer.isServed();
      t.check(isServed || peer.closed, "neither served nor ended");
      t.note(isServed ? "taken" : `ended with ${codeText(peer.reasonCode)}`);
      if (version === 5) {
        t.check(peer.reasonCode === RECEIVE_MAXIMUM_EXCEEDED, `DISCONNECT ${codeText(peer.reasonCode)}`);
      }
      const again = await t.client();
      for (let copy = 0; copy < 5000; copy += 1) {
        again.channel.send(publish(version, "own/mallory/x", "x", { first: 0x3c, packetId: 7 }));
      }
      t.check(await again.isServed(), "5,000 copies of one message: not served any more");
    },
  },
  {
    id: "33",
    title: "PUBREL, PUBREC, PUBCOMP and PUBACK for identifiers nobody knows",
    expected: "PUBREL answered with 0x92, a PUBREC that failed not at all; the client is served",
    cheap: true,
    async run(t) {
      const { version } = t.variant;
      const peer = await t.client();
      peer.acknowledge(PacketType.PUBREL, 17);
      const pubcomp = await peer.next(PacketType.PUBCOMP, 5000);
      t.check(pubcomp !== undefined, "PUBREL got no answer");
      if (version === 5) {
        t.check(pubcomp?.reasonCode === PACKET_IDENTIFIER_NOT_FOUND, `PUBCOMP ${codeText(pubcomp?.reasonCode)}`);
      }
      peer.acknowledge(PacketType.PUBACK, 18);
      peer.acknowledge(PacketType.PUBCOMP, 19);
      t.check(await peer.isServed(), "PUBACK and PUBCOMP for unknown identifiers: not served any more");
      if (version === 5) {
        peer.acknowledge(PacketType.PUBREC, 21, 0x80);
        t.check(await peer.isServed(), "a PUBREC that failed: not served any more");
        t.check((await peer.next(PacketType.PUBREL, 50)) === undefined, "a PUBREC that failed is answered by PUBREL");
      }
      peer.acknowledge(PacketType.PUBREC, 20);
      t.check(await peer.isServed(), "PUBREC for an unknown identifier: not served any more");
    },
  },
  {
    id: "34",
    title: "PUBACK for QoS 2, PUBCOMP before PUBREC",
    expected: "connection ended with 0x82, or the message still owed",
    cheap: true,
    async run(t) {
      for (const type of [PacketType.PUBACK, PacketType.PUBCOMP]) {
        const clientId = t.clientId();
        const properties = t.variant.version === 5 ? { sessionExpiryInterval: 60 } : undefined;
        const peer = await t.client({ clientId, cleanStart: false, properties }, { acknowledges: false });
        await peer.subscribe("own/mallory/x", 2);
        peer.publish("own/mallory/x", "twice", { qos: 2, packetId: 1 });
        const message = await peer.next(PacketType.PUBLISH, 5000);
        if (message === undefined) {
          // Delivered when it is released, at the latest.
          peer.acknowledge(PacketType.PUBREL, 1);
        }
        const packetId = message?.packetId ?? (await peer.next(PacketType.PUBLISH, 5000))?.packetId ?? 1;
        peer.acknowledge(type, packetId);
        const isServed = await peer.isServed(3000);
        t.check(isServed || peer.closed, "neither served nor ended");
        t.check(
          isServed || t.variant.version === 4 || peer.reasonCode === PROTOCOL_ERROR,
          `${codeText(peer.reasonCode)}`,
        );
        peer.destroy();
        await sleep(50);
        const again = await t.client({ clientId, cleanStart: false, properties });
        const owed = await again.next(PacketType.PUBLISH, 2000);
        t.check(owed !== undefined, `acknowledged by packet type ${type}, the QoS 2 message is gone`);
        again.destroy();
      }
    },
  },
  {
    id: "35",
    title: "identifiers used again while they are in use",
    expected: "0x91 or one message; the client is served",
    cheap: true,
    async run(t) {
      const { version } = t.variant;
      const peer = await t.client();
      await peer.subscribe("own/mallory/x", 0);
      const twice = publish(version, "own/mallory/x", "x", { first: 0x34, packetId: 5 });
      peer.channel.send(Buffer.concat([twice, twice, subscribe(version, ["own/mallory/y"], { packetId: 5 })]));
      peer.channel.send(Buffer.concat([hex("62 02 00 05"), subscribe(version, ["own/mallory/z"], { packetId: 5 })]));
      const isServed = await peer.isServed();
      t.check(isServed || peer.closed, "neither served nor ended");
      t.check(peer.publishesReceived <= 1, `${peer.publishesReceived} copies of one QoS 2 message`);
    },
  },
  {
    id: "36",
    title: "subscriptions that change while the session is taken over",
    expected: "the last one in has the session, and what it subscribes",
    on: { transports: ["tcp", "ws"] },
    async run(t) {
      const clientId = t.clientId();
      const fields = { clientId, cleanStart: false };
      for (let round = 0; round < 60; round += 1) {
        const peer = await t.client(fields);
        for (let index = 0; index < 50; index += 1) {
          const filter = `own/mallory/${pick(["a", "b", "c", "+", "#"], t.random)}`;
          peer.channel.send(subscribe(t.variant.version, [filter], { packetId: index + 1 }));
        }
      }
      const last = await t.client(fields);
      await last.subscribe("own/mallory/last", 1);
      await last.subscribe("own/mallory/last", 1);
      last.publishesReceived = 0;
      last.publish("own/mallory/last", "x", { qos: 1 });
      await last.isServed();
      await last.isServed();
      t.check(last.publishesReceived >= 1, "the last one's subscription does not work");
      t.check(
        last.publishesReceived <= 1 || t.variant.version === 4,
        `${last.publishesReceived} copies of one message`,
      );
    },
  },
  {
    id: "37",
    title: "two clients that push each other out without end",
    expected: "0x8E each time; one line in the log, not hundreds",
    on: V5,
    async run(t) {
      const clientId = t.clientId();
      let previous: Peer | undefined;
      for (let round = 0; round < 300; round += 1) {
        const peer = await t.client({ clientId });
        if (previous !== undefined) {
          const { closed, reasonCode } = await previous.ending(5000);
          t.check(closed && reasonCode === 0x8e, `round ${round}: DISCONNECT ${codeText(reasonCode)}`);
        }
        previous = peer;
      }
      const lines = t.log.filter(({ level }) => level >= 30).length;
      t.check(lines < 100, `${lines} lines in the log`);
      await t.logs(new RegExp(clientId), "clients that push each other out");
    },
  },
  {
    id: "39",
    title: "shared subscriptions of the wrong form",
    expected: "connection ended or the filter refused",
    cheap: true,
    async run(t) {
      const { version } = t.variant;
      for (const filter of [
        "$share//a",
        "$share/+/a",
        "$share/#/a",
        "$share/g",
        "$share/g/",
        "$share/",
        "$share/a+/b",
      ]) {
        const peer = await t.client();
        peer.channel.send(subscribe(version, [filter]));
        const suback = await peer.next(PacketType.SUBACK, 3000);
        t.check(peer.closed || (suback?.reasonCodes[0] ?? 0) >= 0x80, `"${filter}" is granted`);
        peer.destroy();
      }
      if (version === 5) {
        const noLocal = subscribe(5, ["$share/g/own/mallory/a"], { options: 0x05 });
        await endsConnection(t, { "No Local on a shared one": noLocal }, [PROTOCOL_ERROR]);
      }
    },
  },
  {
    id: "41",
    title: "a will on a topic that may not be written; a will of one who was refused",
    expected: "CONNACK 0x87; it never comes",
    cheap: true,
    on: { access: [true] },
    async run(t) {
      const alice = await t.client({}, { user: "alice" });
      await alice.subscribe("private/#", 1);
      const will = (topic: string) =>
        ({ topic, payload: Buffer.from("gone"), qos: 1, retain: true, properties: undefined }) as const;
      const forbidden = await t.peer();
      const connack = await t.connect(forbidden, { will: will("private/will") });
      t.check(connack?.reasonCode === refusal(t, 0x87), `CONNACK ${codeText(connack?.reasonCode)}`);
      const refused = await t.peer();
      const answer = await refused.connect({
        will: will("private/will"),
        username: "alice",
        password: Buffer.from("wrong"),
      });
      t.check(answer?.reasonCode === refusal(t, 0x86), `wrong password: CONNACK ${codeText(answer?.reasonCode)}`);
      await refused.ending(2000);
      await alice.isServed();
      t.check(alice.publishesReceived === 0, "a will came");
      await t.logs(/refused|not allowed|not authorized/i, "that the clients were refused");
    },
  },
  {
    id: "42",
    title: "wills at takeover, and a delayed one whose client comes back in time",
    expected: "sent at takeover without a delay, suppressed with one",
    cheap: true,
    on: V5,
    async run(t) {
      const watcher = await t.client();
      await watcher.subscribe("own/mallory/#", 0);
      const will = (topic: string, willDelayInterval: number) =>
        ({
          topic: `own/mallory/${topic}`,
          payload: Buffer.from("gone"),
          qos: 0,
          retain: false,
          properties: { willDelayInterval },
        }) as const;
      const properties = { sessionExpiryInterval: 60 };
      const [now, later] = [t.clientId(), t.clientId()];
      const first = await t.client({ clientId: now, will: will("now", 0), properties });
      await t.client({ clientId: now, cleanStart: false, properties });
      await first.ending();
      const delayed = await t.client({ clientId: later, will: will("later", 1), properties });
      delayed.destroy();
      await sleep(200);
      const back = await t.client({ clientId: later, cleanStart: false, properties });
      await sleep(1200);
      t.check(await back.isServed(), "the client that came back is not served");
      await watcher.isServed();
      const topics = watcher.received.flatMap((each) => (each.type === PacketType.PUBLISH ? [each.topic] : []));
      t.check(topics.join() === "own/mallory/now", `wills that came: ${topics.join() || "none"}`);
    },
  },
];

/** The reason code, or what 3.1.1 has for it. */
export function refusal({ variant }: Context, reasonCode: 0x86 | 0x87 | 0x85): number {
  if (variant.version === 5) {
    return reasonCode;
  }
  return { 133: 2, 134: 4, 135: 5 }[reasonCode];
}
