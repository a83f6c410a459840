import { PacketType } from "@tidewire/codec";
import { QUOTA_EXCEEDED } from "@tidewire/codec/codes";
import type { Attack } from "../attack.ts";
import { publish, subscribe } from "../bytes.ts";
import { codeText } from "../cases.ts";
import type { Context } from "../context.ts";
import type { Peer } from "../peer.ts";
import type { Dimensions } from "../variant.ts";

/*
 * One client within its limits that makes the broker work: every walk must yield, whoever it is for.
 */

const ONE: Partial<Dimensions> = { transports: ["tcp"], versions: [5, 4] };
const FILTERS_AT_ONCE = 1000;

export const work: readonly Attack[] = [
  {
    id: "38",
    title: "10,000 filters in each SUBSCRIBE, without end",
    expected: "0x97 above the limit for a session; the loop stays free",
    on: ONE,
    server: {},
    bounds: { memoryMb: 250 },
    async run(t) {
      const peer = await t.client();
      const codes = await subscribeMany(t, peer, 120_000, (index) => `own/mallory/${index}/x`, 10_000);
      t.note(`${codes.granted} granted, ${codes.refused} refused`);
      t.check(codes.granted <= 50_000, "more than 50,000 subscriptions of one session");
      t.check(codes.others.length === 0, `refused with ${codes.others.map(codeText).join(", ")}`);
      await publishSome(t, peer);
    },
  },
  {
    id: "38.2",
    title: "32,768 overlapping wildcard filters, and new topics",
    expected: "no PUBLISH takes long, or 0x97 before it does",
    on: ONE,
    server: {},
    bounds: { memoryMb: 250 },
    async run(t) {
      // Sixteen levels, each a name or a plus: every filter matches the same topic.
      const level = (index: number, bit: number) => ((index >> bit) & 1 ? "+" : "a");
      const filter = (index: number) =>
        `own/mallory/${Array.from({ length: 15 }, (_, bit) => level(index, bit)).join("/")}`;
      const peer = await t.client();
      const codes = await subscribeMany(t, peer, 32_768, filter);
      t.note(`${codes.granted} granted, ${codes.refused} refused`);
      const publisher = await t.client();
      const topic = `own/mallory/${Array.from({ length: 15 }, () => "a").join("/")}`;
      for (let count = 0; count < 5; count += 1) {
        publisher.publish(topic, "x");
        t.check(await publisher.isServed(20_000), "the publisher is not served any more");
      }
    },
  },
  {
    id: "38.3",
    title: "filters such as +/+/+/x that match nothing",
    expected: "no SUBSCRIBE takes long",
    on: ONE,
    server: {},
    bounds: { memoryMb: 250 },
    async run(t) {
      const owner = await t.client();
      await retainMany(t, owner, 20_000, (index) => `own/mallory/${index % 140}/${Math.floor(index / 140)}`);
      const peer = await t.client();
      const codes = await subscribeMany(t, peer, 1000, (index) => `+/+/+/x${index}`, 1000);
      t.note(`${codes.granted} granted, ${codes.refused} refused`);
      t.check(await peer.isServed(60_000), "not served any more");
    },
  },
  {
    id: "38.4",
    title: "a SUBSCRIBE of 10,000 filters while retained messages wait",
    expected: "no SUBSCRIBE takes long",
    on: ONE,
    server: {},
    bounds: { memoryMb: 300 },
    async run(t) {
      const owner = await t.client();
      await retainMany(t, owner, 20_000, (index) => `own/mallory/${index}`, "y".repeat(200));
      const peer = await t.client({}, { acknowledges: false });
      // It does not read: the cursors stay.
      peer.channel.socket.pause();
      const same = Array.from({ length: 10_000 }, (_, index) => `own/mallory/${"+/".repeat(index % 20)}#`);
      peer.channel.send(subscribe(t.variant.version, same));
      peer.channel.send(subscribe(t.variant.version, same, { packetId: 2 }));
      const other = await t.client();
      for (let round = 0; round < 20; round += 1) {
        t.check(await other.isServed(30_000), "another client is not served any more");
      }
    },
  },
  {
    id: "39.2",
    title: "50,000 shared groups on #",
    expected: "0x97 at a limit, and no PUBLISH takes long",
    on: ONE,
    server: {},
    bounds: { memoryMb: 250 },
    async run(t) {
      const peer = await t.client();
      const codes = await subscribeMany(t, peer, 50_000, (index) => `$share/g${index}/#`, 10_000);
      t.note(`${codes.granted} granted, ${codes.refused} refused`);
      t.check(codes.others.length === 0, `refused with ${codes.others.map(codeText).join(", ")}`);
      await publishSome(t, await t.client());
    },
  },
  {
    id: "40",
    title: "200,000 retained messages, and # by one who may not read them",
    expected: "nothing comes of it, and the loop stays free",
    on: { ...ONE, access: [true] },
    server: {},
    bounds: { memoryMb: 500, p99Factor: 4 },
    async run(t) {
      const alice = await t.client({}, { user: "alice" });
      await retainMany(t, alice, 200_000, (index) => `private/${index % 500}/${index}`);
      // What it took to bring them there is not what is asked.
      await t.program.begin();
      const peer = await t.client();
      for (let round = 0; round < 3; round += 1) {
        await peer.subscribe("#", 0, undefined, 30_000);
        t.check(await peer.isServed(30_000), "not served any more");
      }
      const other = await t.client();
      t.check(await other.isServed(30_000), "another client is not served");
      t.check(peer.publishesReceived === 0, `${peer.publishesReceived} messages that it may not read came`);
    },
  },
  {
    id: "40.2",
    title: "200,000 retained messages, and # by one who may read them",
    expected: "all of them come, and the loop stays free",
    on: { ...ONE, access: [false] },
    server: {},
    bounds: { memoryMb: 500, p99Factor: 8 },
    async run(t) {
      const owner = await t.client();
      await retainMany(t, owner, 200_000, (index) => `r/${index % 500}/${index}`);
      await t.program.begin();
      const peer = await t.client({}, { onPublish: () => {} });
      await peer.subscribe("r/#", 0, undefined, 30_000);
      const limit = performance.now() + 60_000;
      while (peer.publishesReceived < 200_000 && performance.now() < limit && (await peer.isServed(30_000))) {}
      t.check(peer.publishesReceived === 200_000, `${peer.publishesReceived} of 200,000 came`);
    },
  },
  {
    id: "40.3",
    title: "retained messages set and deleted in bulk",
    expected: "memory stays level",
    on: ONE,
    bounds: { memoryMb: 150, p99Factor: 8 },
    async run(t) {
      const peer = await t.client();
      for (let round = 0; round < 10; round += 1) {
        await retainMany(t, peer, 5000, (index) => `own/mallory/${round}/${index}`);
        await retainMany(t, peer, 5000, (index) => `own/mallory/${round}/${index}`, "");
      }
      const late = await t.client();
      await late.subscribe("own/mallory/#", 0);
      t.check(await late.isServed(), "not served any more");
      t.check(late.publishesReceived === 0, `${late.publishesReceived} retained messages are left`);
    },
  },
];

/** Many subscriptions, and how they were answered. */
async function subscribeMany(
  t: Context,
  peer: Peer,
  count: number,
  filter: (index: number) => string,
  atOnce = FILTERS_AT_ONCE,
): Promise<{ readonly granted: number; readonly refused: number; readonly others: readonly number[] }> {
  let granted = 0;
  let refused = 0;
  const others = new Set<number>();
  for (let from = 0; from < count; from += atOnce) {
    const filters = Array.from({ length: Math.min(atOnce, count - from) }, (_, index) => filter(from + index));
    peer.channel.send(subscribe(t.variant.version, filters, { options: 0, packetId: peer.nextId() }));
    const suback = await peer.next(PacketType.SUBACK, 60_000);
    if (suback === undefined) {
      t.check(peer.closed, "SUBSCRIBE is neither answered nor refused");
      t.note(`ended with ${codeText(peer.reasonCode)}`);
      break;
    }
    for (const code of suback.reasonCodes) {
      if (code < 0x80) {
        granted += 1;
      } else {
        refused += 1;
        if (code !== QUOTA_EXCEEDED && code !== 0x80) {
          others.add(code);
        }
      }
    }
  }
  return { granted, refused, others: [...others] };
}

/** A few messages by somebody else. */
async function publishSome(t: Context, publisher: Peer): Promise<void> {
  for (let count = 0; count < 10; count += 1) {
    publisher.publish(`own/mallory/p/${count}`, "x");
    t.check(await publisher.isServed(30_000), "a publisher is not served any more");
  }
}

/** Sets retained messages, with as many under way as the socket takes. */
export async function retainMany(
  t: Context,
  peer: Peer,
  count: number,
  topic: (index: number) => string,
  payload = "x",
): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    peer.channel.send(publish(t.variant.version, topic(index), payload, { first: 0x31 }));
    if (index % 2000 === 1999) {
      await peer.channel.drained();
      t.check(await peer.isServed(60_000), "whoever retains is not served any more");
    }
  }
  t.check(await peer.isServed(60_000), "whoever retains is not served any more");
}
