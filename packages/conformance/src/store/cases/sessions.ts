import { checkEqual } from "../../failure.ts";
import { open, reopen } from "../harness.ts";
import { bytes, canonical, entry, LATER_MS, outgoing, publication, session, subscription, texts } from "../samples.ts";
import { defineCase, type StoreCase } from "./define.ts";

export const sessionCases: readonly StoreCase[] = [
  defineCase("sessions/fields", "keeps every field of a session", async (harness) => {
    const { store } = await open(harness);
    const full = session("full", {
      sessionExpiryInterval: Number.POSITIVE_INFINITY,
      username: "name",
      will: {
        topic: "will/topic",
        payload: bytes("gone"),
        qos: 2,
        retain: true,
        properties: { willDelayInterval: 30, contentType: "text/plain", userProperties: [["a", "b"]] },
      },
      willAtMs: LATER_MS + 30_000,
      maybeSentBelow: 70_000,
    });
    const plain = session("plain", { version: 4, sessionExpiryInterval: 60 });
    store.putSession(full);
    store.putSession(plain);
    const again = await reopen(harness, store);
    const none = { subscriptions: [], queuedCount: 0, queuedBytes: 0 };
    const seen = again.sessions.map(({ nextSequence: _, ...rest }) => rest);
    checkEqual(byName(seen), byName([full, plain].map((one) => ({ ...one, ...none }))), "sessions");
    const expiry = again.sessions.find(({ clientId }) => clientId === "full")?.sessionExpiryInterval;
    checkEqual(expiry === Number.POSITIVE_INFINITY, true, "an endless session");
  }),

  defineCase("sessions/replaced", "keeps the last of several versions", async (harness) => {
    const { store } = await open(harness);
    store.putSession(session("one", { username: "first" }));
    await store.commit();
    store.putSession(session("one", { username: "second" }));
    store.putSession(session("one", { username: "third" }));
    const { sessions } = await reopen(harness, store);
    checkEqual(
      sessions.map(({ username }) => username),
      ["third"],
      "user names",
    );
  }),

  defineCase("sessions/subscriptions", "keeps subscriptions with their options, by filter", async (harness) => {
    const { store } = await open(harness);
    const options = subscription("b/+", { qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 });
    const identified = subscription("$share/group/c/#", { qos: 0, subscriptionIdentifier: 268_435_455 });
    store.putSession(session("one"));
    store.putSubscription("one", subscription("a", { qos: 0 }));
    store.putSubscription("one", subscription("gone"));
    await store.commit();
    store.putSubscription("one", subscription("a", { qos: 2 }));
    store.putSubscription("one", options);
    store.putSubscription("one", identified);
    store.deleteSubscription("one", "gone");
    store.deleteSubscription("one", "never/there");
    const { sessions } = await reopen(harness, store);
    const expected = [subscription("a", { qos: 2 }), options, identified];
    checkEqual(byFilter(sessions[0]?.subscriptions ?? []), byFilter(expected), "subscriptions");
  }),

  defineCase("sessions/long-names", "keeps names and filters of any length apart", async (harness) => {
    const { store } = await open(harness);
    const long = "ä/".repeat(20_000);
    const filters = [`${long}+`, `${long}#`, long.slice(0, 1000)];
    store.putSession(session(long));
    store.putSession(session(`${long}!`));
    for (const filter of filters) {
      store.putSubscription(long, subscription(filter));
    }
    await store.commit();
    store.deleteSubscription(long, filters[1]!);
    const { sessions } = await reopen(harness, store);
    const found = sessions.find(({ clientId }) => clientId === long)?.subscriptions ?? [];
    checkEqual(sessions.length, 2, "sessions");
    checkEqual(byFilter(found), byFilter([subscription(filters[0]!), subscription(filters[2]!)]), "filters");
  }),

  defineCase("sessions/deleted", "deletes a session with all that belongs to it", async (harness) => {
    const { store } = await open(harness);
    store.putSession(session("other"));
    store.enqueue("other", entry(0, publication("theirs")));
    store.putSession(session("one"));
    store.putSubscription("one", subscription("a"));
    store.enqueue("one", entry(0, publication("mine")));
    store.inflight("one").putOutgoing(1, 0, outgoing(entry(1, publication("sent"))));
    store.inflight("one").putIncoming(7);
    await store.commit();
    store.deleteSession("one");
    store.deleteSession("never there");
    checkEqual(store.readQueue("one", 0, 10, 1000), [], "the queue");
    await store.commit();
    const { sessions } = await reopen(harness, store);
    checkEqual(
      sessions.map(({ clientId, queuedCount }) => [clientId, queuedCount]),
      [["other", 1]],
      "sessions",
    );
  }),

  defineCase("sessions/same-name", "keeps nothing of a session for the next of the same name", async (harness) => {
    const { store } = await open(harness);
    store.putSession(session("one"));
    store.putSubscription("one", subscription("old"));
    store.enqueue("one", entry(0, publication("old")));
    store.inflight("one").putOutgoing(1, 0, outgoing(entry(1, publication("old"))));
    store.inflight("one").putIncoming(1);
    await store.commit();
    store.deleteSession("one");
    store.putSession(session("one"));
    store.putSubscription("one", subscription("new"));
    store.enqueue("one", entry(0, publication("new")));
    checkEqual(store.loadInflight("one"), { outgoing: [], incoming: [] }, "in-flight exchanges before the commit");
    const { store: next, sessions } = await reopen(harness, store);
    checkEqual(canonical(sessions[0]?.subscriptions), canonical([subscription("new")]), "subscriptions");
    checkEqual(sessions[0]?.queuedCount, 1, "the count of the queue");
    checkEqual(texts(next.readQueue("one", 0, 10, 1000)), ["new"], "the queue");
    checkEqual(next.loadInflight("one"), { outgoing: [], incoming: [] }, "in-flight exchanges");
  }),

  defineCase("sessions/void-handle", "ignores a handle of a deleted session", async (harness) => {
    const { store } = await open(harness);
    store.putSession(session("one"));
    const old = store.inflight("one");
    old.putOutgoing(1, 0, outgoing(entry(0, publication("old"))));
    await store.commit();
    store.deleteSession("one");
    store.putSession(session("one"));
    store.inflight("one").putIncoming(2);
    old.putOutgoing(3, 1, outgoing(entry(1, publication("late"))));
    old.deleteIncoming(2);
    old.clear();
    const { store: next } = await reopen(harness, store);
    checkEqual(next.loadInflight("one"), { outgoing: [], incoming: [2] }, "in-flight exchanges");
  }),
];

function byName(sessions: readonly { readonly clientId: string }[]): unknown {
  return canonical([...sessions].sort((one, other) => (one.clientId < other.clientId ? -1 : 1)));
}

function byFilter(subscriptions: readonly { readonly filter: string }[]): unknown {
  return canonical([...subscriptions].sort((one, other) => (one.filter < other.filter ? -1 : 1)));
}
