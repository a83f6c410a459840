import "fake-indexeddb/auto";
import type { QueuedMessage } from "@tidewire/client";
import { indexedDbStore } from "@tidewire/store-indexeddb";
import { expect, test } from "vitest";

let count = 0;
const unique = (): string => {
  count += 1;
  return `client-${count}`;
};

function message(topic: string, fields: Partial<QueuedMessage> = {}): QueuedMessage {
  const payload = new TextEncoder().encode(topic);
  return {
    topic,
    payload,
    qos: 1,
    retain: false,
    properties: undefined,
    expiresAtMs: Number.POSITIVE_INFINITY,
    ...fields,
  };
}

test("gives back what was committed, in its order, and nothing else", async () => {
  const clientId = unique();
  const store = indexedDbStore();
  expect(await store.open(clientId)).toEqual({ inflight: { outgoing: [], incoming: [] }, queued: [] });
  store.putOutgoing(9, 0, message("first"));
  store.putOutgoing(2, 1, message("second", { qos: 2, retain: true, properties: { contentType: "x" } }));
  store.putOutgoing(3, 2, message("third", { qos: 2 }));
  store.putOutgoing(4, 3, message("settled"));
  store.releaseOutgoing(3);
  store.deleteOutgoing(4);
  store.putIncoming(7);
  store.putIncoming(8);
  store.deleteIncoming(8);
  store.putQueued(10, message("later", { expiresAtMs: 5_000 }));
  store.putQueued(2, message("sooner", { qos: 0 }));
  await store.commit();
  store.putQueued(11, message("lost with the page"));

  const again = indexedDbStore();
  const saved = await again.open(clientId);
  expect(saved.inflight.outgoing.map(({ packetId, message }) => [packetId, message?.topic])).toEqual([
    [9, "first"],
    [2, "second"],
    [3, undefined],
  ]);
  expect(saved.inflight.outgoing[1]!.message).toMatchObject({ qos: 2, retain: true, properties: { contentType: "x" } });
  expect(saved.inflight.incoming).toEqual([7]);
  expect(saved.queued).toMatchObject([
    { sequence: 2, message: { topic: "sooner", qos: 0, expiresAtMs: Number.POSITIVE_INFINITY } },
    { sequence: 10, message: { topic: "later", expiresAtMs: 5_000 } },
  ]);
});

test("clear forgets what is in flight and keeps the queue; what comes after it stays", async () => {
  const clientId = unique();
  const store = indexedDbStore();
  await store.open(clientId);
  store.putOutgoing(1, 0, message("old"));
  store.putIncoming(1);
  store.putQueued(0, message("queued"));
  await store.commit();
  store.clear();
  store.putOutgoing(1, 1, message("new"));
  await store.commit();
  const saved = await indexedDbStore().open(clientId);
  expect(saved.inflight.outgoing.map(({ message }) => message?.topic)).toEqual(["new"]);
  expect(saved.inflight.incoming).toEqual([]);
  expect(saved.queued).toHaveLength(1);
});

test("a released message keeps its place, also when it was sent in an earlier life", async () => {
  const clientId = unique();
  const store = indexedDbStore();
  await store.open(clientId);
  store.putOutgoing(5, 0, message("a", { qos: 2 }));
  store.putOutgoing(4, 1, message("b", { qos: 2 }));
  await store.close();
  const second = indexedDbStore();
  await second.open(clientId);
  second.releaseOutgoing(5);
  await second.close();
  const saved = await indexedDbStore().open(clientId);
  expect(saved.inflight.outgoing.map(({ packetId }) => packetId)).toEqual([5, 4]);
});

test("commit is one transaction a turn, and nothing when nothing is staged", async () => {
  const store = indexedDbStore();
  await store.open(unique());
  expect(store.commit()).toBeUndefined();
  for (let i = 0; i < 100; i += 1) {
    store.putQueued(i, message("t"));
  }
  const committing = store.commit();
  // Nothing new: whoever asks waits for the same transaction.
  expect(store.commit()).toBe(committing);
  await committing;
  expect(store.commit()).toBeUndefined();
});

test("only the bytes that a view shows are kept, as they were", async () => {
  const clientId = unique();
  const store = indexedDbStore();
  await store.open(clientId);
  const chunk = new Uint8Array(1_000_000).fill(1);
  store.putQueued(0, message("view", { payload: chunk.subarray(10, 20) }));
  chunk.fill(2);
  await store.commit();
  const { payload } = (await indexedDbStore().open(clientId)).queued[0]!.message;
  expect(payload).toEqual(new Uint8Array(10).fill(1));
  expect(payload.buffer.byteLength).toBe(10);
});

test("what a failed transaction held stays staged, under what was staged after it", async () => {
  const clientId = unique();
  const store = indexedDbStore();
  await store.open(clientId);
  store.putQueued(0, message("kept"));
  // A function cannot be cloned: the transaction fails as it does when the disk is full.
  store.putQueued(1, message("bad", { properties: { contentType: (() => {}) as unknown as string } }));
  await expect(store.commit()).rejects.toThrow();
  store.putQueued(1, message("good"));
  await store.commit();
  const { queued } = await indexedDbStore().open(clientId);
  expect(queued.map(({ message }) => message.topic)).toEqual(["kept", "good"]);
});

test("the lock keeps a second one from a client id until the first is closed", async () => {
  const locks = fakeLocks();
  const clientId = unique();
  const first = indexedDbStore({ locks });
  await first.open(clientId);
  await expect(indexedDbStore({ locks, lockTimeoutMs: 20 }).open(clientId)).rejects.toMatchObject({
    code: "client-id-in-use",
  });
  await expect(indexedDbStore({ locks }).open(clientId, AbortSignal.abort())).rejects.toMatchObject({
    code: "aborted",
  });
  const waiting = indexedDbStore({ locks, lockTimeoutMs: Number.POSITIVE_INFINITY }).open(clientId);
  await indexedDbStore({ locks }).open(unique());
  await first.close();
  await waiting;
});

/** Locks as a browser has them, for one page. */
function fakeLocks() {
  const queues = new Map<string, Promise<unknown>>();
  return {
    async request(
      name: string,
      { signal }: { readonly signal: AbortSignal },
      callback: () => Promise<void>,
    ): Promise<void> {
      const before = queues.get(name) ?? Promise.resolve();
      let release: () => void = () => {};
      queues.set(name, new Promise<void>((resolve) => (release = resolve)));
      try {
        await new Promise((resolve, reject) => {
          if (signal.aborted) {
            reject(signal.reason);
          }
          signal.addEventListener("abort", () => reject(signal.reason));
          void before.then(resolve);
        });
        await callback();
      } finally {
        void before.then(release);
      }
    },
  };
}
