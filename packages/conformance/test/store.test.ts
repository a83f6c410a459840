import { executeCases, runConformance } from "@tidewire/conformance";
import { referenceHarness, saboteurs, storeCases } from "@tidewire/conformance/store";
import { vitestApi } from "@tidewire/conformance/vitest";
import { describe, expect, test } from "vitest";

const capabilities = ["crash", "full-disk"];

runConformance(
  storeCases,
  { name: "the reference store", capabilities, setup: () => referenceHarness() },
  { api: vitestApi },
);

describe("the suite catches a store that", () => {
  test.each(saboteurs)("$id", async ({ sabotage }) => {
    const target = { name: "saboteur", capabilities, setup: () => referenceHarness(sabotage) };
    const results = await executeCases(storeCases, target, { timeoutMs: 2000 });
    const failed = results.filter(({ outcome }) => outcome === "failed");
    expect(failed).not.toEqual([]);
    // One fault does not fail everything: the cases tell faults apart.
    expect(failed.length).toBeLessThan(storeCases.length / 2);
  });
});
