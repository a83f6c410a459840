import { describe, expect, test } from "vitest";
import type { ConformanceCase, ConformanceTarget } from "./case.ts";
import { executeCase, executeCases } from "./execute.ts";
import { check } from "./failure.ts";

const good: ConformanceCase<string> = { id: "good", title: "passes", statements: ["MQTT-1.0.0-1"], run: () => {} };
const bad: ConformanceCase<string> = {
  id: "bad",
  title: "fails",
  statements: [],
  run: () => check(false, "expected more"),
};

function target(overrides: Partial<ConformanceTarget<string>> = {}): ConformanceTarget<string> {
  return { name: "target", capabilities: ["some"], setup: () => "harness", ...overrides };
}

describe("executeCase", () => {
  test("passes a case that does not throw, and keeps what it proves", async () => {
    const result = await executeCase(good, target());
    expect(result).toMatchObject({ id: "good", outcome: "passed", statements: ["MQTT-1.0.0-1"] });
  });

  test("fails a case that throws, with what was expected", async () => {
    const result = await executeCase(bad, target());
    expect(result.outcome).toBe("failed");
    expect(result.error?.message).toBe("expected more");
  });

  test("skips a case that needs what the target does not have, without setting up", async () => {
    let setups = 0;
    const count = (): string => {
      setups += 1;
      return `${setups}`;
    };
    const result = await executeCase({ ...bad, needs: ["some", "more"] }, target({ setup: count }));
    expect(result).toMatchObject({ outcome: "skipped", reason: "needs more" });
    expect(setups).toBe(0);
  });

  test("takes an expected failure for what it is, and an unexpected pass for a failure", async () => {
    const expectedFailures = { bad: "known", good: "thought to fail" };
    expect(await executeCase(bad, target(), { expectedFailures })).toMatchObject({
      outcome: "expected-failure",
      reason: "known",
    });
    expect(await executeCase(good, target(), { expectedFailures })).toMatchObject({ outcome: "unexpected-pass" });
  });

  test("gives up a case that never ends", async () => {
    const endless = { ...good, run: () => new Promise<void>(() => {}) };
    const result = await executeCase(endless, target(), { timeoutMs: 20 });
    expect(result.outcome).toBe("failed");
    expect(result.error?.message).toContain("20 ms");
  });

  test("tears down after success, failure and time-out, and fails when the setup does", async () => {
    const torn: string[] = [];
    const teardown = (harness: string): void => void torn.push(harness);
    const endless = { ...good, run: () => new Promise<void>(() => {}) };
    for (const testCase of [good, bad, endless]) {
      await executeCase(testCase, target({ teardown }), { timeoutMs: 20 });
    }
    expect(torn).toEqual(["harness", "harness", "harness"]);
    const broken = (): string => {
      throw new Error("no broker");
    };
    expect((await executeCase(good, target({ setup: broken }))).error?.message).toBe("no broker");
  });
});

describe("executeCases", () => {
  test("keeps the order of the cases and the limit on how many run at once", async () => {
    let running = 0;
    let most = 0;
    const cases = Array.from(
      { length: 20 },
      (_, index): ConformanceCase<string> => ({
        id: `${index}`,
        title: "waits",
        statements: [],
        run: async () => {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setTimeout(resolve, (20 - index) / 4));
          running -= 1;
        },
      }),
    );
    const ended: string[] = [];
    const results = await executeCases(cases, target(), { concurrency: 4, onResult: ({ id }) => ended.push(id) });
    expect(results.map(({ id }) => id)).toEqual(cases.map(({ id }) => id));
    expect(ended).toHaveLength(20);
    expect(most).toBe(4);
  });
});
