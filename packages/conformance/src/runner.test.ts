import { describe, expect, test } from "vitest";
import type { ConformanceCase } from "./case.ts";
import { ConformanceFailure, check } from "./failure.ts";
import { type RunOptions, runConformance, type TestApi } from "./runner.ts";

/** A test runner that keeps what is registered. */
class FakeApi implements TestApi {
  readonly suites: string[] = [];
  readonly tests = new Map<string, () => Promise<void>>();
  readonly skipped: string[] = [];

  suite(name: string, define: () => void): void {
    this.suites.push(name);
    define();
  }

  test(name: string, run: () => Promise<void>): void {
    this.tests.set(name, run);
  }

  skip(name: string, reason: string): void {
    this.skipped.push(`${name} (${reason})`);
  }
}

const cases: ConformanceCase<void>[] = [
  { id: "a", title: "works", statements: ["MQTT-1.0.0-1"], run: () => {} },
  {
    id: "b",
    title: "breaks",
    statements: [],
    run: () => {
      const failure = new ConformanceFailure("expected PUBACK");
      failure.transcript = "-> PUBLISH";
      throw failure;
    },
  },
  { id: "c", title: "needs more", statements: [], needs: ["more"], run: () => check(false, "not reached") },
];

function register(options: Partial<RunOptions> = {}): FakeApi {
  const api = new FakeApi();
  runConformance(cases, { name: "target", capabilities: [], setup: () => {} }, { api, ...options });
  return api;
}

describe.each([1, 8])("runConformance, %i at a time", (concurrency) => {
  test("registers a test for each case with its statements, and skips what is not offered", () => {
    const api = register({ concurrency });
    expect(api.suites).toEqual(["target"]);
    expect([...api.tests.keys()]).toEqual(["a: works [MQTT-1.0.0-1]", "b: breaks"]);
    expect(api.skipped).toEqual(["c: needs more (needs more)"]);
  });

  test("throws in the test of a failed case, with the transcript", async () => {
    const api = register({ concurrency });
    await expect(api.tests.get("a: works [MQTT-1.0.0-1]")?.()).resolves.toBeUndefined();
    await expect(api.tests.get("b: breaks")?.()).rejects.toThrow("expected PUBACK\n-> PUBLISH");
  });

  test("lets an expected failure pass and throws on an unexpected pass", async () => {
    const api = register({ concurrency, expectedFailures: { a: "was broken", b: "is broken" } });
    await expect(api.tests.get("a: works [MQTT-1.0.0-1]")?.()).rejects.toThrow("was broken");
    await expect(api.tests.get("b: breaks")?.()).resolves.toBeUndefined();
  });
});

test("an expected failure that names no case is a failure", async () => {
  const api = register({ expectedFailures: { z: "nowhere" } });
  await expect([...api.tests.values()].at(-1)?.()).rejects.toThrow("no case: z");
});
