import { rmSync } from "node:fs";
import { join } from "node:path";
import { ReferenceDisk, referenceStore, type StoreEntry, type StoreUnderTest } from "@tidewire/conformance/store";
import { lmdbStore } from "@tidewire/store-lmdb";
import fc from "fast-check";
import { open as openLmdb } from "lmdb";
import { afterAll, expect, test } from "vitest";
import { temporaryDirectory } from "./harness.ts";

/*
 * Any series of writes, commits and restarts leaves the store as it leaves the reference store, which is too plain to
 * be wrong; and when everything is deleted, no record is left.
 */

const CLIENTS = ["one", "two", "three"];
const TOPICS = ["a", "b"];
const root = temporaryDirectory();
let directories = 0;

afterAll(() => rmSync(root, { recursive: true }));

test("does what the reference store does", { timeout: 60_000 }, async () => {
  const client = fc.constantFrom(...CLIENTS);
  const packetId = fc.integer({ min: 1, max: 3 });
  const step = fc.oneof(
    fc.record({
      do: fc.constant("publish" as const),
      large: fc.boolean(),
      to: fc.subarray(CLIENTS),
      retain: fc.boolean(),
    }),
    fc.record({ do: fc.constant("send" as const), client, packetId }),
    fc.record({ do: fc.constant("send new" as const), client, packetId }),
    fc.record({ do: fc.constantFrom("release" as const, "settle" as const), client, packetId }),
    fc.record({ do: fc.constantFrom("take" as const, "done" as const), client, packetId }),
    fc.record({ do: fc.constantFrom("drop first" as const, "requeue" as const, "clear" as const), client }),
    fc.record({ do: fc.constant("end" as const), client }),
    fc.record({ do: fc.constant("delete retained" as const), topic: fc.constantFrom(...TOPICS) }),
    fc.record({ do: fc.constantFrom("commit" as const, "restart" as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 80 }), async (steps) => {
      const directory = join(root, `${directories}`);
      directories += 1;
      const disk = new ReferenceDisk();
      const pair = new Pair(
        () => referenceStore(disk),
        () => lmdbStore({ directory, fsync: "os" }),
      );
      await pair.open();
      for (const one of steps) {
        if (one.do === "restart") {
          await pair.reopen();
        } else if (one.do === "commit") {
          await pair.commit();
        } else {
          pair.apply((store, side) => apply(store, one, pair.memory(side)));
        }
        pair.compare();
      }
      await pair.reopen();
      pair.compare();
      pair.apply((store) => {
        for (const clientId of CLIENTS) {
          store.deleteSession(clientId);
        }
        for (const topic of TOPICS) {
          store.deleteRetained(topic);
        }
      });
      await pair.commit();
      await pair.close();
      expect(await leftovers(directory)).toEqual({});
    }),
    { numRuns: 30 },
  );
});

/** What a broker keeps in mind of one store: the entries it has seen, and the next sequence. */
interface Memory {
  sequence: number;
  readonly seen: StoreEntry["publication"][];
}

type Step = { readonly do: string } & Partial<{
  large: boolean;
  to: string[];
  retain: boolean;
  client: string;
  packetId: number;
  topic: string;
}>;

function apply(store: StoreUnderTest, step: Step, memory: Memory): void {
  const { client = "", packetId = 0 } = step;
  switch (step.do) {
    case "publish": {
      const message = publication(memory.sequence, step.large ?? false);
      memory.seen.push(message);
      for (const clientId of step.to ?? []) {
        store.enqueue(clientId, entry(memory.sequence, message));
        memory.sequence += 1;
      }
      if (step.retain) {
        store.putRetained(message);
      }
      break;
    }
    case "send": {
      const [first] = store.readQueue(client, 0, 1, 0);
      if (first !== undefined && isFree(store, client, packetId)) {
        send(store, client, packetId, first, memory);
      }
      break;
    }
    case "send new":
      if (isFree(store, client, packetId)) {
        const message = publication(memory.sequence, packetId === 1);
        send(store, client, packetId, entry(memory.sequence, message), memory);
        memory.sequence += 1;
      }
      break;
    case "release":
      store.inflight(client).releaseOutgoing(packetId);
      break;
    case "settle":
      store.inflight(client).deleteOutgoing(packetId);
      break;
    case "take":
      store.inflight(client).putIncoming(packetId);
      break;
    case "done":
      store.inflight(client).deleteIncoming(packetId);
      break;
    case "drop first": {
      const [first] = store.readQueue(client, 0, 1, 0);
      if (first !== undefined) {
        store.dequeue(client, first.sequence);
      }
      break;
    }
    case "requeue": {
      // A publication that the broker still has in mind, wherever it has been meanwhile.
      const message = memory.seen.at(-1);
      if (message !== undefined) {
        store.enqueue(client, entry(memory.sequence, message));
        memory.sequence += 1;
      }
      break;
    }
    case "clear":
      store.inflight(client).clear();
      break;
    case "end":
      store.deleteSession(client);
      store.putSession(session(client));
      break;
    default:
      store.deleteRetained(step.topic ?? "");
  }
}

function isFree(store: StoreUnderTest, clientId: string, packetId: number): boolean {
  return !store.loadInflight(clientId).outgoing.some((sent) => sent.packetId === packetId);
}

function send(store: StoreUnderTest, clientId: string, packetId: number, of: StoreEntry, memory: Memory): void {
  const { topic, payload, properties } = of.publication;
  const message = { topic, payload, properties, qos: of.qos, retain: of.retain, entry: of };
  store.inflight(clientId).putOutgoing(packetId, memory.sequence, message);
  memory.sequence += 1;
}

/** The same done to both. */
class Pair {
  readonly #create: readonly (() => StoreUnderTest)[];
  #stores: StoreUnderTest[] = [];
  #memories: Memory[] = [];

  constructor(...create: (() => StoreUnderTest)[]) {
    this.#create = create;
  }

  async open(): Promise<void> {
    this.#stores = this.#create.map((create) => create());
    const loaded = await Promise.all(this.#stores.map((store) => store.open()));
    const counts = loaded.map(({ sessions }) =>
      [...sessions]
        .map(({ clientId, queuedCount, queuedBytes }) => ({ clientId, queuedCount, queuedBytes }))
        .sort(byClient),
    );
    expect(counts[1]).toEqual(counts[0]);
    const sequence = Math.max(0, ...this.#memories.map((memory) => memory.sequence));
    this.#memories = this.#stores.map(() => ({ sequence, seen: [] }));
    for (const store of this.#stores) {
      for (const clientId of CLIENTS) {
        store.putSession(session(clientId));
      }
    }
  }

  memory(side: number): Memory {
    return this.#memories[side]!;
  }

  apply(change: (store: StoreUnderTest, side: number) => void): void {
    for (const [side, store] of this.#stores.entries()) {
      change(store, side);
    }
  }

  compare(): void {
    const [reference, ours] = this.#stores.map(contents);
    expect(ours).toEqual(reference);
  }

  async commit(): Promise<void> {
    for (const store of this.#stores) {
      await store.commit();
    }
  }

  async close(): Promise<void> {
    for (const store of this.#stores) {
      await store.close();
    }
  }

  async reopen(): Promise<void> {
    await this.close();
    await this.open();
  }
}

function contents(store: StoreUnderTest): unknown {
  return {
    sessions: CLIENTS.map((clientId) => {
      const { outgoing, incoming } = store.loadInflight(clientId);
      return {
        queue: store
          .readQueue(clientId, 0, 1000, 1e9)
          .map(({ sequence, publication: of }) => [sequence, of.payload.length]),
        outgoing: outgoing.map(({ packetId, sequence, message }) => [packetId, sequence, message?.payload.length]),
        incoming: [...incoming].sort(),
      };
    }),
    retained: TOPICS.map((topic) => store.readRetained(topic)?.payload.length),
  };
}

async function leftovers(directory: string): Promise<Record<string, number>> {
  const database = openLmdb<Buffer, Uint8Array>({
    path: directory,
    noSubdir: false,
    maxDbs: 16,
    overlappingSync: false,
  });
  const counts: Record<string, number> = {};
  for (const name of database.getKeys({ start: Buffer.of(0) }) as Iterable<unknown>) {
    const table = database.openDB<Buffer, Uint8Array>(String(name), { encoding: "binary", keyEncoding: "binary" });
    const count = table.getCount({ start: Buffer.of(0) });
    if (count > 0 && String(name) !== "meta") {
      counts[String(name)] = count;
    }
  }
  await database.close();
  return counts;
}

function byClient(one: { readonly clientId: string }, other: { readonly clientId: string }): number {
  return one.clientId < other.clientId ? -1 : 1;
}

/** Its length tells it from all others. */
function publication(number: number, large: boolean): StoreEntry["publication"] {
  const payload = new Uint8Array(number + (large ? 5000 : 0));
  const rest = { qos: 1, retain: false, properties: undefined, publisher: undefined, storedId: undefined } as const;
  const topic = TOPICS[number % TOPICS.length]!;
  return { topic, payload, receivedAtMs: 0, expiresAtMs: Number.POSITIVE_INFINITY, ...rest };
}

function entry(sequence: number, of: StoreEntry["publication"]): StoreEntry {
  return { sequence, publication: of, qos: 1, retain: false, subscriptionIdentifiers: undefined };
}

function session(clientId: string) {
  const none = { username: undefined, will: undefined, willAtMs: undefined, maybeSentBelow: undefined };
  return { clientId, version: 5, sessionExpiryInterval: 3600, disconnectedAtMs: 1, ...none } as const;
}
