import { checkEqual } from "../../failure.ts";
import { open, reopen } from "../harness.ts";
import { entry, LATER_MS, publication, session, text, texts } from "../samples.ts";
import { defineCase, type StoreCase } from "./define.ts";

export const retainedCases: readonly StoreCase[] = [
  defineCase("retained/last", "keeps the last message of each topic", async (harness) => {
    const { store } = await open(harness);
    const retained = (topic: string, body: string): void =>
      store.putRetained(publication(body, { topic, retain: true, expiresAtMs: LATER_MS }));
    retained("a", "first");
    retained("b", "deleted");
    retained("c", "kept");
    await store.commit();
    retained("a", "second");
    retained("a", "third");
    store.deleteRetained("b");
    retained("d", "short-lived");
    store.deleteRetained("d");
    store.deleteRetained("never/there");
    checkEqual(store.readRetained("a")?.topic, "a", "the topic");
    checkEqual(store.readRetained("b"), undefined, "a deleted message");
    const { store: next, retained: index } = await reopen(harness, store);
    const expected = [
      { topic: "a", bytes: 5, expiresAtMs: LATER_MS },
      { topic: "c", bytes: 4, expiresAtMs: LATER_MS },
    ];
    const seen = index.map(({ topic, bytes, expiresAtMs }) => ({ topic, bytes, expiresAtMs }));
    checkEqual(
      seen.sort((one, other) => (one.topic < other.topic ? -1 : 1)),
      expected,
      "the index",
    );
    checkEqual(body(next.readRetained("a")), "third", "a replaced message");
    checkEqual(next.readRetained("b"), undefined, "a deleted message");
    checkEqual(next.readRetained("d"), undefined, "a message set and deleted before the commit");
    checkEqual(next.readRetained("other"), undefined, "a topic that never had one");
  }),

  defineCase("retained/long-topics", "keeps topics of any length apart", async (harness) => {
    const { store } = await open(harness);
    const long = "é/".repeat(21_000);
    for (const topic of [`${long}a`, `${long}b`, long]) {
      store.putRetained(publication(topic.slice(-1), { topic }));
    }
    store.deleteRetained(`${long}b`);
    const { store: next, retained } = await reopen(harness, store);
    checkEqual(retained.length, 2, "retained messages");
    checkEqual(body(next.readRetained(`${long}a`)), "a", "the first");
    checkEqual(body(next.readRetained(long)), "/", "the last");
  }),

  defineCase("retained/queued", "keeps a message that is retained and queued, one by one", async (harness) => {
    const { store } = await open(harness);
    store.putSession(session("one"));
    const message = publication("w".repeat(5000), { topic: "a", retain: true });
    store.putRetained(message);
    store.enqueue("one", entry(0, message));
    await store.commit();
    store.putRetained(publication("next", { topic: "a", retain: true }));
    await store.commit();
    checkEqual(texts(store.readQueue("one", 0, 10, 10_000)), [text(message.payload)], "the queue");
    const again = store.readRetained("a")!;
    store.enqueue("one", entry(1, again));
    await store.commit();
    store.deleteRetained("a");
    const { store: next } = await reopen(harness, store);
    checkEqual(texts(next.readQueue("one", 0, 10, 10_000)), [text(message.payload), "next"], "the queue at the end");
  }),
];

function body(message: { readonly payload: Uint8Array } | undefined): string | undefined {
  return message === undefined ? undefined : text(message.payload);
}
