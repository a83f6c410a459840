import type { InflightStore, SavedInflight } from "./inflight-store.ts";
import type { Message } from "./message.ts";

/**
 * One storage that was empty before the case, under whatever keeps it. Each `open` is what another process would see:
 * the store opened before is gone, with all that it had not committed or without it.
 */
export interface InflightStoreHarness {
  open(): Promise<{ readonly store: InflightStore; readonly saved: SavedInflight }>;
}

/** A rule that every `InflightStore` keeps; `runConformance` of `@tidewire/conformance` runs it. */
export interface InflightStoreCase {
  readonly id: string;
  readonly title: string;
  readonly statements: readonly string[];
  run(harness: InflightStoreHarness): Promise<void>;
}

/** What an `InflightStore` has to do, as cases without a test runner: each throws when the store does otherwise. */
export const inflightStoreCases: readonly InflightStoreCase[] = [
  define("empty", "gives nothing back before anything was stored", async (harness) => {
    equal((await harness.open()).saved, NOTHING);
  }),

  define("nothing-staged", "has nothing to wait for when nothing was staged", async (harness) => {
    const { store } = await harness.open();
    store.putIncoming(1);
    await store.commit();
    equal(store.commit(), undefined);
  }),

  define("message", "keeps all of a message", async (harness) => {
    const properties = { contentType: "text/plain", userProperties: [["a", "1"]] as const, messageExpiryInterval: 7 };
    const message: Message = { ...sample("x"), topic: "a/ü", qos: 2, retain: true, properties };
    const saved = await after(harness, (store) => store.putOutgoing(9, 0, message));
    equal(saved.outgoing.map(plain), [plain({ packetId: 9, sequence: 0, message })]);
  }),

  define("order", "gives messages back in the order of sending, not of packet ids", async (harness) => {
    const saved = await after(harness, (store) => {
      for (const [sequence, packetId] of [65_535, 3, 2, 300].entries()) {
        store.putOutgoing(packetId, sequence, sample("x"));
      }
    });
    equal(
      saved.outgoing.map(({ packetId }) => packetId),
      [65_535, 3, 2, 300],
    );
  }),

  define("release", "remembers that PUBREL is owed, in its place, without the message", async (harness) => {
    const saved = await after(harness, (store) => {
      for (let packetId = 1; packetId <= 3; packetId += 1) {
        store.putOutgoing(packetId, packetId, sample(`${packetId}`));
      }
      store.releaseOutgoing(2);
    });
    equal(
      saved.outgoing.map(({ packetId, message }) => [packetId, message !== undefined]),
      [
        [1, true],
        [2, false],
        [3, true],
      ],
    );
  }),

  define("delete", "forgets what is settled, whether its message was released or not", async (harness) => {
    const saved = await after(harness, (store) => {
      for (let packetId = 1; packetId <= 3; packetId += 1) {
        store.putOutgoing(packetId, packetId, sample("x"));
      }
      store.releaseOutgoing(2);
      store.deleteOutgoing(2);
      store.deleteOutgoing(3);
      store.deleteOutgoing(4);
    });
    equal(
      saved.outgoing.map(({ packetId }) => packetId),
      [1],
    );
  }),

  define("reuse", "takes an id again for a later message, which has a later place", async (harness) => {
    const saved = await after(harness, (store) => {
      store.putOutgoing(1, 0, sample("old"));
      store.putOutgoing(2, 1, sample("between"));
      store.deleteOutgoing(1);
      store.putOutgoing(1, 2, sample("new"));
    });
    equal(
      saved.outgoing.map(({ message }) => message && text(message)),
      ["between", "new"],
    );
  }),

  define("incoming", "remembers the ids of QoS 2 messages until their PUBREL", async (harness) => {
    const saved = await after(harness, (store) => {
      for (const packetId of [5, 1, 65_535]) {
        store.putIncoming(packetId);
      }
      store.putIncoming(5);
      store.deleteIncoming(1);
      store.deleteIncoming(2);
    });
    equal([...saved.incoming].sort(), [5, 65_535]);
  }),

  define("directions", "keeps the same id apart in the two directions", async (harness) => {
    const saved = await after(harness, (store) => {
      store.putOutgoing(1, 0, sample("x"));
      store.putIncoming(1);
      store.deleteOutgoing(1);
    });
    equal([saved.outgoing.length, [...saved.incoming]], [0, [1]]);
  }),

  define("clear", "forgets everything, and goes on", async (harness) => {
    const saved = await after(harness, (store) => {
      store.putOutgoing(1, 0, sample("old"));
      store.putIncoming(1);
      store.clear();
      store.putOutgoing(2, 1, sample("new"));
    });
    equal([saved.outgoing.map(({ packetId }) => packetId), saved.incoming.length], [[2], 0]);
  }),

  define(
    "across-commits",
    "applies changes to what an earlier commit, or an earlier process, stored",
    async (harness) => {
      await after(harness, (store) => {
        store.putOutgoing(1, 0, sample("a"));
        store.putOutgoing(2, 1, sample("b"));
        store.putIncoming(7);
      });
      const { store } = await harness.open();
      store.releaseOutgoing(1);
      await store.commit();
      store.deleteIncoming(7);
      store.putOutgoing(3, 2, sample("c"));
      await store.commit();
      const { saved } = await harness.open();
      equal(
        saved.outgoing.map(({ packetId, message }) => [packetId, message && text(message)]),
        [
          [1, undefined],
          [2, "b"],
          [3, "c"],
        ],
      );
      equal([...saved.incoming], []);
    },
  ),

  define("overlap", "takes calls while a commit is under way, for the next one", async (harness) => {
    const { store } = await harness.open();
    store.putOutgoing(1, 0, sample("a"));
    const first = store.commit();
    store.putOutgoing(2, 1, sample("b"));
    store.deleteOutgoing(1);
    await first;
    await store.commit();
    const { saved } = await harness.open();
    equal(
      saved.outgoing.map(({ packetId }) => packetId),
      [2],
    );
  }),
];

const NOTHING: SavedInflight = { outgoing: [], incoming: [] };

function define(id: string, title: string, run: InflightStoreCase["run"]): InflightStoreCase {
  return { id: `inflight-store/${id}`, title, statements: [], run };
}

/** What is there once these calls were committed. */
async function after(harness: InflightStoreHarness, calls: (store: InflightStore) => void): Promise<SavedInflight> {
  const { store } = await harness.open();
  calls(store);
  await store.commit();
  return (await harness.open()).saved;
}

function sample(payload: string): Message {
  const bytes = Uint8Array.from(payload, (character) => character.charCodeAt(0));
  return { topic: "t", payload: bytes, qos: 1, retain: false, properties: undefined };
}

function text(message: Message): string {
  return String.fromCharCode(...message.payload);
}

/** A saved entry in fields that compare as text, whatever else the store gives back with it. */
function plain(entry: SavedInflight["outgoing"][number]): object {
  const { packetId, sequence, message } = entry;
  if (message === undefined) {
    return { packetId, sequence };
  }
  const { topic, payload, qos, retain, properties } = message;
  return { packetId, sequence, topic, payload: [...payload], qos, retain, properties };
}

function equal(actual: unknown, expected: unknown): void {
  const [found, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (found !== wanted) {
    throw new Error(`expected ${wanted}, found ${found}`);
  }
}
