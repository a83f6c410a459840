import { check, checkEqual } from "../../failure.ts";
import type { StoreSavedInflight, StoreUnderTest } from "../contract.ts";
import { open, reopen, type StoreHarness } from "../harness.ts";
import { entry, outgoing, publication, session, text, texts } from "../samples.ts";
import { defineCase, type StoreCase } from "./define.ts";

export const inflightCases: readonly StoreCase[] = [
  defineCase("inflight/order", "gives messages back in the order of sending, not of packet ids", async (harness) => {
    const store = await opened(harness);
    const inflight = store.inflight("one");
    inflight.putOutgoing(65_535, 10, outgoing(entry(0, publication("a"))));
    inflight.putOutgoing(2, 11, outgoing(entry(1, publication("b"), { qos: 2 })));
    await store.commit();
    inflight.putOutgoing(1, 12, outgoing(entry(2, publication("c"))));
    const expected = ["65535:10:a", "2:11:b", "1:12:c"];
    checkEqual(shown(store.loadInflight("one")), expected, "staged and committed");
    const { store: next, sessions } = await reopen(harness, store);
    checkEqual(shown(next.loadInflight("one")), expected, "after a restart");
    checkEqual(next.loadInflight("one").outgoing[1]?.message?.qos, 2, "the granted QoS");
    check((sessions[0]?.nextSequence ?? 0) > 2, "nextSequence lies beyond what is in flight");
  }),

  defineCase("inflight/moves", "moves an entry from the queue to what is in flight", async (harness) => {
    const store = await opened(harness);
    const inflight = store.inflight("one");
    const bodies = ["small", "l".repeat(10_000), "staged"];
    for (const [sequence, body] of bodies.entries()) {
      if (sequence === 2) {
        await store.commit();
      }
      store.enqueue("one", entry(sequence, publication(body)));
    }
    for (const waiting of store.readQueue("one", 0, 10, 100_000)) {
      inflight.putOutgoing(waiting.sequence + 1, waiting.sequence, outgoing(waiting));
    }
    checkEqual(store.readQueue("one", 0, 10, 100_000), [], "the queue");
    const { store: next, sessions } = await reopen(harness, store);
    checkEqual(sessions[0]?.queuedCount, 0, "queuedCount");
    checkEqual(next.readQueue("one", 0, 10, 100_000), [], "the queue after a restart");
    checkEqual(
      shown(next.loadInflight("one")),
      bodies.map((body, index) => `${index + 1}:${index}:${body}`),
      "in flight after a restart",
    );
  }),

  defineCase("inflight/settled", "forgets what was acknowledged, and the packet id may come again", async (harness) => {
    const store = await opened(harness);
    const inflight = store.inflight("one");
    inflight.putOutgoing(1, 0, outgoing(entry(0, publication("first"))));
    inflight.putOutgoing(2, 1, outgoing(entry(1, publication("second"))));
    await store.commit();
    inflight.deleteOutgoing(1);
    inflight.putOutgoing(1, 2, outgoing(entry(2, publication("third"))));
    inflight.deleteOutgoing(2);
    inflight.deleteOutgoing(3);
    const expected = ["1:2:third"];
    checkEqual(shown(store.loadInflight("one")), expected, "at once");
    await store.commit();
    inflight.deleteOutgoing(1);
    inflight.putOutgoing(1, 3, outgoing(entry(3, publication("fourth"))));
    inflight.deleteOutgoing(1);
    const { store: next } = await reopen(harness, store);
    checkEqual(shown(next.loadInflight("one")), [], "after a restart");
  }),

  defineCase("inflight/released", "keeps that a PUBREL is owed when the message is gone", async (harness) => {
    const store = await opened(harness);
    const inflight = store.inflight("one");
    for (const packetId of [1, 2, 3]) {
      const message = outgoing(entry(packetId, publication("z".repeat(packetId * 2000)), { qos: 2 }));
      inflight.putOutgoing(packetId, packetId, message);
      if (packetId === 2) {
        await store.commit();
      }
    }
    inflight.releaseOutgoing(1);
    inflight.releaseOutgoing(3);
    inflight.releaseOutgoing(9);
    const expected = ["1:1:released", `2:2:${"z".repeat(4000)}`, "3:3:released"];
    checkEqual(shown(store.loadInflight("one")), expected, "at once");
    const { store: next } = await reopen(harness, store);
    checkEqual(shown(next.loadInflight("one")), expected, "after a restart");
    next.inflight("one").deleteOutgoing(1);
    next.inflight("one").releaseOutgoing(2);
    const { store: last } = await reopen(harness, next);
    checkEqual(shown(last.loadInflight("one")), ["2:2:released", "3:3:released"], "after another restart");
  }),

  defineCase("inflight/incoming", "remembers packet ids of QoS 2 messages that were taken", async (harness) => {
    const store = await opened(harness);
    const inflight = store.inflight("one");
    for (const packetId of [1, 300, 65_535]) {
      inflight.putIncoming(packetId);
    }
    await store.commit();
    inflight.deleteIncoming(300);
    inflight.putIncoming(4);
    inflight.deleteIncoming(4);
    inflight.deleteIncoming(1);
    inflight.putIncoming(1);
    checkEqual(incoming(store), [1, 65_535], "at once");
    const { store: next } = await reopen(harness, store);
    checkEqual(incoming(next), [1, 65_535], "after a restart");
  }),

  defineCase("inflight/cleared", "clears everything in flight and nothing else", async (harness) => {
    const store = await opened(harness);
    const inflight = store.inflight("one");
    store.enqueue("one", entry(5, publication("waits")));
    inflight.putOutgoing(1, 0, outgoing(entry(0, publication("a"))));
    inflight.putIncoming(1);
    await store.commit();
    inflight.putOutgoing(2, 1, outgoing(entry(1, publication("b"))));
    inflight.putIncoming(2);
    inflight.clear();
    checkEqual(store.loadInflight("one"), { outgoing: [], incoming: [] }, "at once");
    inflight.putIncoming(3);
    const { store: next } = await reopen(harness, store);
    checkEqual(next.loadInflight("one"), { outgoing: [], incoming: [3] }, "after a restart");
    checkEqual(texts(next.readQueue("one", 0, 10, 1000)), ["waits"], "the queue");
  }),
];

async function opened(harness: StoreHarness): Promise<StoreUnderTest> {
  const { store } = await open(harness);
  store.putSession(session("one"));
  return store;
}

function shown({ outgoing: messages }: StoreSavedInflight): string[] {
  return messages.map(({ packetId, sequence, message }) => {
    return `${packetId}:${sequence}:${message === undefined ? "released" : text(message.payload)}`;
  });
}

function incoming(store: StoreUnderTest): number[] {
  return [...store.loadInflight("one").incoming].sort((one, other) => one - other);
}
