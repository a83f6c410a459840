import "fake-indexeddb/auto";
import { inflightStoreCases } from "@tidewire/session/inflight-contract";
import { indexedDbStore } from "@tidewire/store-indexeddb";
import { test } from "vitest";

test.each(inflightStoreCases)("$id: $title", ({ id, run }) =>
  run({
    open: async () => {
      const store = indexedDbStore();
      const { inflight } = await store.open(id);
      return { store, saved: inflight };
    },
  }),
);
