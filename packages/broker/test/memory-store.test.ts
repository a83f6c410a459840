import { type BrokerStore, memoryStore } from "@tidewire/broker";
import { runConformance } from "@tidewire/conformance";
import { storeCases } from "@tidewire/conformance/store";
import { vitestApi } from "@tidewire/conformance/vitest";

// It keeps things as long as the object lives; `durability/nothing-staged` is for stores that have something to commit.
const cases = storeCases.filter(({ id }) => !id.startsWith("store/durability/"));

runConformance(
  cases,
  {
    name: "the memory store",
    capabilities: [],
    setup: () => {
      const store: BrokerStore = memoryStore();
      const nothing = async (): Promise<void> => {};
      return { create: () => store, crash: nothing, fillDisk: nothing, freeDisk: nothing };
    },
  },
  { api: vitestApi },
);
