import { check, checkEqual } from "../../failure.ts";
import type { StoreUnderTest } from "../contract.ts";
import { type OpenedStore, open, recover, rejectsWith } from "../harness.ts";
import { entry, outgoing, publication, session, subscription, text, texts } from "../samples.ts";
import { defineCase, type StoreCase } from "./define.ts";

export const durabilityCases: readonly StoreCase[] = [
  defineCase("durability/nothing-staged", "has nothing to commit when nothing is staged", async (harness) => {
    const { store } = await open(harness);
    checkEqual(store.commit(), undefined, "commit of a store just opened");
    store.putSession(session("one"));
    await store.commit();
    checkEqual(store.commit(), undefined, "commit after a commit");
  }),

  defineCase(
    "durability/committed",
    "keeps everything that was committed",
    async (harness) => {
      const { store } = await open(harness);
      check(store.durable, "durable is set");
      fill(store);
      const commit = store.commit();
      check(commit !== undefined, "commit of what is staged gives a promise");
      await commit;
      checkFilled(await recover(harness));
    },
    ["crash"],
  ),

  defineCase(
    "durability/atomic",
    "loses what was not committed as a whole, and nothing else",
    async (harness) => {
      const { store } = await open(harness);
      fill(store);
      await store.commit();
      store.deleteSession("other");
      store.dequeue("one", 0);
      store.enqueue("one", entry(9, publication("late")));
      store.inflight("one").deleteOutgoing(1);
      store.inflight("one").putIncoming(9);
      store.putSubscription("one", subscription("late"));
      store.putRetained(publication("late", { topic: "kept" }));
      await pause();
      checkFilled(await recover(harness));
    },
    ["crash"],
  ),

  defineCase(
    "durability/inflight-commit",
    "commits through the handle of a session too",
    async (harness) => {
      const { store } = await open(harness);
      store.putSession(session("one"));
      store.inflight("one").putIncoming(5);
      await store.inflight("one").commit();
      const { store: next } = await recover(harness);
      checkEqual(next.loadInflight("one").incoming, [5], "incoming packet ids");
    },
    ["crash"],
  ),

  defineCase(
    "durability/overlapping",
    "keeps what was staged while a commit is under way, by the end of the next",
    async (harness) => {
      const { store } = await open(harness);
      store.putSession(session("one"));
      const commits: (Promise<void> | undefined)[] = [];
      for (let sequence = 0; sequence < 50; sequence += 1) {
        store.enqueue("one", entry(sequence, publication(`${sequence}`)));
        commits.push(store.commit());
        if (sequence % 7 === 0) {
          await Promise.resolve();
        }
        if (sequence % 20 === 0) {
          await commits.at(-1);
        }
      }
      check(commits[0] !== undefined, "the first commit has something to wait for");
      await Promise.all(commits);
      await store.commit();
      const { store: next } = await recover(harness);
      const expected = Array.from({ length: 50 }, (_, index) => `${index}`);
      checkEqual(texts(next.readQueue("one", 0, 100, 1000)), expected, "the queue");
    },
    ["crash"],
  ),

  defineCase(
    "durability/under-way",
    "lets whoever commits nothing new wait for the commit that is under way",
    async (harness) => {
      const { store } = await open(harness);
      store.putSession(session("one"));
      let isDone = false;
      const first = store.commit()?.then(() => {
        isDone = true;
      });
      check(first !== undefined, "the first commit has something to wait for");
      const waits: Promise<void>[] = [];
      while (!isDone) {
        const next = store.commit();
        check(next !== undefined, "a commit while another is under way has something to wait for");
        waits.push(next!.then(() => check(isDone, "what was committed before is kept first")));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      await Promise.all([first, ...waits]);
      checkEqual(store.commit(), undefined, "commit when nothing is under way any more");
    },
  ),

  defineCase(
    "durability/crash-while-committing",
    "keeps all or nothing of a commit that is cut off",
    async (harness) => {
      const { store } = await open(harness);
      store.putSession(session("one"));
      await store.commit();
      for (let sequence = 0; sequence < 20; sequence += 1) {
        store.enqueue("one", entry(sequence, publication("m")));
      }
      store.putSubscription("one", subscription("last"));
      // Its outcome no longer matters to anyone.
      store.commit()?.catch(() => {});
      const { store: next, sessions } = await recover(harness);
      const whole = next.readQueue("one", 0, 100, 1000).length + (sessions[0]?.subscriptions.length ?? 0);
      check(whole === 0 || whole === 21, `all or nothing, not ${whole} of 21`);
    },
    ["crash"],
  ),

  defineCase(
    "durability/gone-by-crash",
    "says when a session that was connected went, at the latest when the next store opens",
    async (harness) => {
      const { store } = await open(harness);
      const before = Date.now();
      store.putSession(session("one", { disconnectedAtMs: undefined }));
      await store.commit();
      const after = Date.now();
      const { sessions } = await recover(harness);
      const gone = sessions[0]?.disconnectedAtMs ?? 0;
      // The clock may be set between the two; a second is more than a commit takes.
      check(gone >= before - 1000 && gone <= after + 1000, "disconnectedAtMs is the time of the last write");
    },
    ["crash"],
  ),

  defineCase(
    "durability/maybe-sent",
    "says of a session that was connected which messages may have been sent",
    async (harness) => {
      const { store } = await open(harness);
      store.putSession(session("connected", { disconnectedAtMs: undefined }));
      store.putSession(session("away"));
      for (const clientId of ["connected", "away"]) {
        store.enqueue(clientId, entry(4, publication("waits")));
      }
      await store.commit();
      const { sessions } = await recover(harness);
      const below = Object.fromEntries(sessions.map(({ clientId, maybeSentBelow }) => [clientId, maybeSentBelow]));
      checkEqual(below, { connected: 5, away: undefined }, "maybeSentBelow");
    },
    ["crash"],
  ),

  defineCase(
    "durability/full-disk",
    "rejects a commit that finds no space, says so, and loses nothing once there is some",
    async (harness) => {
      const { store } = await open(harness);
      checkEqual(store.failure, undefined, "failure at first");
      fill(store);
      await store.commit();
      await harness.fillDisk();
      for (let sequence = 100; sequence < 140; sequence += 1) {
        store.enqueue("one", entry(sequence, publication("f".repeat(200_000))));
      }
      store.inflight("one").deleteOutgoing(1);
      await rejectsWith(store.commit(), "store-full");
      checkEqual(store.failure?.code, "store-full", "failure");
      checkEqual(store.readQueue("one", 100, 100, 100_000_000).length, 40, "entries that are still staged");
      await rejectsWith(store.commit(), "store-full");
      await harness.freeDisk();
      await store.commit();
      await until(() => store.failure === undefined);
      const { store: next } = await recover(harness);
      checkEqual(next.readQueue("one", 100, 100, 100_000_000).length, 40, "entries after all");
      checkEqual(next.loadInflight("one").outgoing, [], "in-flight exchanges");
    },
    ["crash", "full-disk"],
  ),

  defineCase(
    "durability/crash-on-full-disk",
    "keeps what was committed before the disk was full",
    async (harness) => {
      const { store } = await open(harness);
      fill(store);
      await store.commit();
      await harness.fillDisk();
      store.deleteSession("one");
      for (let sequence = 100; sequence < 140; sequence += 1) {
        store.enqueue("other", entry(sequence, publication("f".repeat(200_000))));
      }
      await rejectsWith(store.commit(), "store-full");
      await harness.crash();
      await harness.freeDisk();
      checkFilled(await open(harness));
    },
    ["crash", "full-disk"],
  ),
];

/** One of everything. */
function fill(store: StoreUnderTest): void {
  store.putSession(session("one"));
  store.putSession(session("other"));
  store.putSubscription("one", subscription("a/+"));
  store.enqueue("one", entry(0, publication("waits")));
  store.inflight("one").putOutgoing(1, 0, outgoing(entry(1, publication("sent"))));
  store.inflight("one").putIncoming(7);
  store.putRetained(publication("kept", { topic: "kept", retain: true }));
}

function checkFilled({ store, sessions, retained }: OpenedStore): void {
  checkEqual(sessions.map(({ clientId }) => clientId).sort(), ["one", "other"], "sessions");
  const one = sessions.find(({ clientId }) => clientId === "one");
  checkEqual(
    one?.subscriptions.map(({ filter }) => filter),
    ["a/+"],
    "subscriptions",
  );
  checkEqual(texts(store.readQueue("one", 0, 100, 1_000_000)), ["waits"], "the queue");
  const saved = store.loadInflight("one");
  checkEqual(
    saved.outgoing.map(({ packetId, message }) => [packetId, message && text(message.payload)]),
    [[1, "sent"]],
    "outgoing messages",
  );
  checkEqual(saved.incoming, [7], "incoming packet ids");
  checkEqual(retained.length, 1, "retained messages");
  checkEqual(text(store.readRetained("kept")!.payload), "kept", "the retained message");
}

/** The store looks after its disk in its own time. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
