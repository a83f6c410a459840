import { expect, test } from "vitest";
import { Delivery, IncomingPublication } from "../messages/index.ts";
import { memoryStore } from "./memory-store.ts";
import type { StoredSession } from "./store.ts";

/* What it has to do as a store is in the conformance suite (`test/memory-store.test.ts`); this is about its own. */

test("it says that nothing outlives the process, and that there is nothing to commit", () => {
  const store = memoryStore();
  store.enqueue("c", delivery(1, "x"));
  expect(store).toMatchObject({ durable: false, failure: undefined });
  expect(store.commit()).toBeUndefined();
  expect(store.inflight("c").commit()).toBeUndefined();
});

test("what a session has without a record of its own is not loaded: it ended with its connection", async () => {
  const store = memoryStore();
  store.putSubscription("c", { ...SUBSCRIPTION, filter: "a" });
  store.enqueue("c", delivery(1, "x"));
  expect([...(await store.open()).sessions]).toEqual([]);
});

test("it tells of each session what is queued, and where its sequence goes on", async () => {
  const store = memoryStore();
  store.putSession(record("c"));
  store.putSession(record("d"));
  for (const [sequence, text] of [
    [4, "abc"],
    [5, "de"],
    [7, "fghi"],
  ] as const) {
    store.enqueue("c", delivery(sequence, text));
  }
  store.dequeue("c", 5);
  // Of another one, and of one that is gone: nothing happens.
  store.dequeue("c", 6);
  store.dequeue("nobody", 1);
  store.putSubscription("c", { ...SUBSCRIPTION, filter: "a" });
  store.putSubscription("c", { ...SUBSCRIPTION, filter: "b" });
  store.deleteSubscription("c", "a");
  const [c, d] = [...(await store.open()).sessions];
  expect(c).toMatchObject({ clientId: "c", queuedCount: 2, queuedBytes: 7, nextSequence: 8 });
  expect(c?.subscriptions.map(({ filter }) => filter)).toEqual(["b"]);
  expect(d).toMatchObject({ clientId: "d", queuedCount: 0, queuedBytes: 0, nextSequence: 0, subscriptions: [] });
});

test("sending a message that was never queued lets its sequence count, too", async () => {
  const store = memoryStore();
  store.putSession(record("c"));
  store.inflight("c").putOutgoing(1, 1, delivery(41, "x"));
  const [session] = [...(await store.open()).sessions];
  expect(session?.nextSequence).toBe(42);
});

test("in-flight messages come back in the order in which they were sent, not in that of their identifiers", () => {
  const store = memoryStore();
  const inflight = store.inflight("c");
  inflight.putOutgoing(1, 30, delivery(3, "c"));
  inflight.putOutgoing(2, 10, delivery(1, "a"));
  inflight.putOutgoing(3, 20, delivery(2, "b"));
  inflight.releaseOutgoing(3);
  inflight.putIncoming(9);
  inflight.putIncoming(8);
  inflight.deleteIncoming(9);
  const { outgoing, incoming } = store.loadInflight("c");
  expect(outgoing.map(({ packetId, message }) => [packetId, message === undefined])).toEqual([
    [2, false],
    [3, true],
    [1, false],
  ]);
  expect(incoming).toEqual([8]);
  inflight.deleteOutgoing(2);
  expect(store.loadInflight("c").outgoing.map(({ packetId }) => packetId)).toEqual([3, 1]);
  inflight.clear();
  expect(store.loadInflight("c")).toEqual({ outgoing: [], incoming: [] });
  expect(store.loadInflight("nobody")).toEqual({ outgoing: [], incoming: [] });
});

test("a page ends before the message that would make it too large, but has one at least", () => {
  const store = memoryStore();
  for (const [index, size] of [5, 4, 1, 1, 20].entries()) {
    store.enqueue("c", delivery(index * 2, "x".repeat(size)));
  }
  const page = (from: number, count: number, bytes: number) =>
    store.readQueue("c", from, count, bytes).map(({ sequence }) => sequence);
  expect(page(0, 10, 9)).toEqual([0, 2]);
  expect(page(0, 10, 8)).toEqual([0]);
  expect(page(0, 3, 100)).toEqual([0, 2, 4]);
  expect(page(3, 10, 2)).toEqual([4, 6]);
  expect(page(8, 10, 2)).toEqual([8]);
  expect(page(9, 10, 2)).toEqual([]);
  expect(store.readQueue("nobody", 0, 10, 10)).toEqual([]);
});

const SUBSCRIPTION = {
  filter: "f",
  qos: 1,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
  subscriptionIdentifier: undefined,
} as const;

function record(clientId: string): StoredSession {
  return {
    clientId,
    version: 5,
    sessionExpiryInterval: 10,
    disconnectedAtMs: undefined,
    username: undefined,
    will: undefined,
    willAtMs: undefined,
    maybeSentBelow: undefined,
  };
}

function delivery(sequence: number, text: string): Delivery {
  const receiver = { version: 5 as const, maybeSentBelow: undefined, nowMs: () => 0 };
  const payload = new TextEncoder().encode(text);
  const publication = new IncomingPublication("t", payload, 1, false, undefined, undefined, 0);
  return new Delivery(receiver, sequence, publication, 1, false, undefined, undefined);
}
