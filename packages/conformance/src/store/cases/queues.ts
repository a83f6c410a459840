import { check, checkEqual } from "../../failure.ts";
import type { StoreUnderTest } from "../contract.ts";
import { open, reopen, type StoreHarness } from "../harness.ts";
import { canonical, entry, LATER_MS, publication, session, subscription, texts } from "../samples.ts";
import { defineCase, type StoreCase } from "./define.ts";

export const queueCases: readonly StoreCase[] = [
  defineCase("queues/order", "gives entries back in the order of their sequence", async (harness) => {
    const store = await opened(harness);
    for (const sequence of [3, 4, 9, 255, 256, 70_000, 5_000_000_000]) {
      store.enqueue("one", entry(sequence, publication(`m${sequence}`)));
      if (sequence === 9) {
        await store.commit();
      }
    }
    const expected = ["m3", "m4", "m9", "m255", "m256", "m70000", "m5000000000"];
    checkEqual(texts(store.readQueue("one", 0, 100, 10_000)), expected, "staged and committed entries");
    const { store: next, sessions } = await reopen(harness, store);
    checkEqual(texts(next.readQueue("one", 0, 100, 10_000)), expected, "entries after a restart");
    checkEqual(texts(next.readQueue("one", 256, 100, 10_000)), expected.slice(4), "entries from 256 on");
    checkEqual(sessions[0]?.queuedCount, 7, "queuedCount");
    checkEqual(sessions[0]?.queuedBytes, expected.join("").length, "queuedBytes");
    check((sessions[0]?.nextSequence ?? 0) > 5_000_000_000, "nextSequence lies beyond every entry");
  }),

  defineCase("queues/fields", "keeps every field of an entry and its publication", async (harness) => {
    const store = await opened(harness);
    const properties = {
      payloadFormatIndicator: 1,
      messageExpiryInterval: 4_294_967_295,
      contentType: "text/plain",
      responseTopic: "answer/ü",
      correlationData: Uint8Array.of(0, 255, 1),
      userProperties: [
        ["key", "value"],
        ["key", "again"],
        ["", ""],
      ],
    } as const;
    const full = entry(1, publication("full", { qos: 2, retain: true, properties, expiresAtMs: LATER_MS }), {
      qos: 2,
      retain: true,
      subscriptionIdentifiers: [1, 268_435_455],
      sharedFilter: "$share/group/a/#",
    });
    const plain = entry(
      2,
      publication("", { topic: "ä", publisher: undefined, publisherUser: undefined, properties: {} }),
    );
    store.enqueue("one", full);
    store.enqueue("one", plain);
    const { store: next } = await reopen(harness, store);
    const [first, second] = next.readQueue("one", 0, 10, 1000);
    for (const [seen, sent] of [
      [first, full],
      [second, plain],
    ] as const) {
      const { publication: { storedId: _, ...message } = publication("none"), ...rest } = seen ?? {};
      const {
        publication: { storedId: __, ...expected },
        ...fields
      } = sent;
      checkEqual(canonical(message), canonical(expected), "the publication");
      checkEqual(canonical(rest), canonical(fields), "the entry");
    }
    check(second?.publication.expiresAtMs === Number.POSITIVE_INFINITY, "what never expired still never does");
  }),

  defineCase("queues/pages", "reads in pages by count and by bytes, at least one entry", async (harness) => {
    const store = await opened(harness);
    for (let sequence = 0; sequence < 10; sequence += 1) {
      if (sequence === 5) {
        await store.commit();
      }
      store.enqueue("one", entry(sequence, publication(`${sequence}`.repeat(10))));
    }
    const pages: number[][] = [];
    for (let from = 0; ; ) {
      const page = store.readQueue("one", from, 4, 35).map(({ sequence }) => sequence);
      if (page.length === 0) {
        break;
      }
      pages.push(page);
      from = page.at(-1)! + 1;
    }
    checkEqual(pages, [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]], "pages of 35 bytes");
    checkEqual(store.readQueue("one", 0, 4, 1000).length, 4, "a page of four");
    checkEqual(store.readQueue("one", 0, 4, 5).length, 1, "a page with too few bytes");
    checkEqual(store.readQueue("one", 6, 4, 5).length, 1, "a page with too few bytes, staged");
  }),

  defineCase("queues/dequeue", "removes entries wherever they stand", async (harness) => {
    const store = await opened(harness);
    for (let sequence = 0; sequence < 6; sequence += 1) {
      if (sequence === 4) {
        await store.commit();
      }
      store.enqueue("one", entry(sequence, publication(`m${sequence}`)));
    }
    for (const sequence of [0, 2, 5, 99]) {
      store.dequeue("one", sequence);
    }
    checkEqual(texts(store.readQueue("one", 0, 10, 1000)), ["m1", "m3", "m4"], "the queue at once");
    await store.commit();
    checkEqual(texts(store.readQueue("one", 0, 10, 1000)), ["m1", "m3", "m4"], "the queue after the commit");
    const { store: next, sessions } = await reopen(harness, store);
    checkEqual(texts(next.readQueue("one", 0, 10, 1000)), ["m1", "m3", "m4"], "the queue after a restart");
    checkEqual(sessions[0]?.queuedCount, 3, "queuedCount");
  }),

  defineCase("queues/shared", "keeps a publication as long as any queue refers to it", async (harness) => {
    const { store } = await open(harness);
    const clients = ["one", "two", "three"];
    const body = "x".repeat(5000);
    const large = publication(body);
    for (const clientId of clients) {
      store.putSession(session(clientId));
      store.enqueue(clientId, entry(0, large));
      store.enqueue(clientId, entry(1, publication("small")));
    }
    store.putRetained({ ...large, topic: "kept", retain: true });
    await store.commit();
    store.dequeue("one", 0);
    await store.commit();
    store.deleteSession("two");
    await store.commit();
    const { store: next } = await reopen(harness, store);
    checkEqual(texts(next.readQueue("three", 0, 10, 10_000)), [body, "small"], "the third queue");
    checkEqual(texts(next.readQueue("one", 0, 10, 10_000)), ["small"], "the first queue");
    next.dequeue("three", 0);
    await next.commit();
    checkEqual(next.readRetained("kept")?.payload.length, 5000, "the retained copy");
  }),

  defineCase("queues/again", "keeps a publication again that every queue had let go", async (harness) => {
    const { store } = await open(harness);
    const body = "y".repeat(3000);
    const message = publication(body);
    for (const clientId of ["one", "two"]) {
      store.putSession(session(clientId));
    }
    store.enqueue("one", entry(0, message));
    store.enqueue("two", entry(0, message));
    await store.commit();
    store.dequeue("one", 0);
    store.dequeue("two", 0);
    await store.commit();
    store.enqueue("two", entry(1, message));
    await store.commit();
    store.enqueue("one", entry(1, message));
    const { store: next } = await reopen(harness, store);
    checkEqual(texts(next.readQueue("one", 0, 10, 10_000)), [body], "the first queue");
    checkEqual(texts(next.readQueue("two", 0, 10, 10_000)), [body], "the second queue");
  }),

  defineCase("queues/long", "reads a queue of thousands in pages", async (harness) => {
    const store = await opened(harness);
    store.putSubscription("one", subscription("a"));
    const count = 5000;
    for (let sequence = 0; sequence < count; sequence += 1) {
      store.enqueue("one", entry(sequence, publication("m")));
    }
    const { store: next, sessions } = await reopen(harness, store);
    checkEqual(sessions[0]?.queuedCount, count, "queuedCount");
    let read = 0;
    for (let page = next.readQueue("one", 0, 512, 100_000); page.length > 0; ) {
      for (const { sequence } of page) {
        check(sequence === read, "entries come in order without a gap");
        read += 1;
      }
      page = next.readQueue("one", read, 512, 100_000);
    }
    checkEqual(read, count, "entries read");
  }),
];

async function opened(harness: StoreHarness): Promise<StoreUnderTest> {
  const { store } = await open(harness);
  store.putSession(session("one"));
  return store;
}
