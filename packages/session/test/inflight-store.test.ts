import { runConformance } from "@tidewire/conformance";
import { vitestApi } from "@tidewire/conformance/vitest";
import {
  createStoredInflight,
  type Inflight,
  type InflightStore,
  type MemoryInflightStore,
  type Message,
  memoryInflightStore,
} from "@tidewire/session";
import { type InflightStoreHarness, inflightStoreCases } from "@tidewire/session/inflight-contract";
import { expect, test } from "vitest";

runConformance(
  inflightStoreCases,
  { name: "memoryInflightStore", capabilities: [], setup: () => harness(memoryInflightStore()) },
  { api: vitestApi },
);

const broken: Record<string, Partial<Record<keyof InflightStore, (store: MemoryInflightStore) => unknown>>> = {
  "does not delete": { deleteOutgoing: () => () => {} },
  "does not release": { releaseOutgoing: () => () => {} },
  "releases by deleting": { releaseOutgoing: (store) => (id: number) => store.deleteOutgoing(id) },
  "loses incoming ids": { putIncoming: () => () => {} },
  "keeps incoming ids": { deleteIncoming: () => () => {} },
  "does not clear": { clear: () => () => {} },
  "forgets incoming ids only when it clears": {
    clear: (store) => () => store.saved().incoming.forEach(store.deleteIncoming),
  },
  "drops properties": {
    putOutgoing: (store) => (id: number, sequence: number, message: object) =>
      store.putOutgoing(id, sequence, { ...message, properties: undefined } as never),
  },
  "orders by id": {
    putOutgoing: (store) => (id: number, _: number, message: never) => store.putOutgoing(id, id, message),
  },
  "always has something to wait for": { commit: () => () => Promise.resolve() },
};

test.each(Object.entries(broken))("the contract notices a store that %s", async (_name, faults) => {
  const failures: string[] = [];
  for (const { id, run } of inflightStoreCases) {
    const store = memoryInflightStore();
    const faulty = Object.entries(faults).map(([method, fault]) => [method, fault(store)]);
    const harnessed = harness({ ...store, ...Object.fromEntries(faulty) });
    await run(harnessed).catch(() => failures.push(id));
  }
  expect(failures).not.toEqual([]);
});

function harness(store: MemoryInflightStore): InflightStoreHarness {
  return { open: () => Promise.resolve({ store, saved: store.saved() }) };
}

test("a store for one kind of message gives that kind back, and does not pass for one that takes all", () => {
  interface Letter extends Message {
    readonly letter: string;
  }
  const letters: string[] = [];
  const store: InflightStore<Letter> = {
    ...memoryInflightStore(),
    putOutgoing: (_packetId, _sequence, { letter }) => letters.push(letter),
  };
  const sample = { topic: "t", payload: new Uint8Array(0), qos: 1, retain: false, properties: undefined } as const;
  const inflight: Inflight<Letter> = createStoredInflight(store, {
    outgoing: [{ packetId: 1, sequence: 0, message: { ...sample, letter: "a" } }],
    incoming: [],
  });
  // @ts-expect-error
  const anyStore: InflightStore = store;
  expect(anyStore).toBe(store);
  expect(inflight.clear().map(({ message: { letter } }) => letter)).toEqual(["a"]);
});
