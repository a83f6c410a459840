import type { CaseResult, ConformanceCase, ConformanceTarget, ExpectedFailures } from "./case.ts";
import { isBad } from "./case.ts";
import { executeCase, executeCases } from "./execute.ts";
import { ConformanceError, ConformanceFailure } from "./failure.ts";
import { CASE_TIMEOUT_MS } from "./limits.ts";

/** The three calls of a test runner that are needed; see the `vitest` and `node-test` subpaths. */
export interface TestApi {
  suite(name: string, define: () => void): void;
  test(name: string, run: () => Promise<void>, timeoutMs: number): void;
  skip(name: string, reason: string): void;
}

export interface RunOptions {
  readonly api: TestApi;
  /** By case id, each with its reason. One that passes, or names no case, fails the run. */
  readonly expectedFailures?: ExpectedFailures;
  readonly timeoutMs?: number;
  /** Cases at a time. Default 1: each case runs inside its own test. More: they run ahead, and tests await them. */
  readonly concurrency?: number;
}

/** Registers every case as a test of the given runner. */
export function runConformance<Harness>(
  cases: readonly ConformanceCase<Harness>[],
  target: ConformanceTarget<Harness>,
  options: RunOptions,
): void {
  const { api, expectedFailures = {}, timeoutMs = CASE_TIMEOUT_MS, concurrency = 1 } = options;
  const execute = { expectedFailures, timeoutMs };
  const results = concurrency > 1 ? runAhead(cases, target, { ...execute, concurrency }) : undefined;
  // A case that runs ahead may wait for its turn behind all others.
  const limit = results === undefined ? timeoutMs : timeoutMs * (1 + Math.ceil(cases.length / concurrency));

  api.suite(target.name, () => {
    for (const testCase of cases) {
      const name = `${testCase.id}: ${testCase.title}${citation(testCase.statements)}`;
      const missing = testCase.needs?.find((capability) => !target.capabilities.includes(capability));
      if (missing !== undefined) {
        api.skip(name, `needs ${missing}`);
        continue;
      }
      const run = async (): Promise<void> => {
        const result = await (results?.(testCase.id) ?? executeCase(testCase, target, execute));
        throwIfBad(result);
      };
      api.test(name, run, Math.max(limit, testCase.timeoutMs ?? 0) + 5_000);
    }
    const unknown = Object.keys(expectedFailures).filter((id) => !cases.some((testCase) => testCase.id === id));
    if (unknown.length > 0) {
      const complain = async (): Promise<void> => {
        throw new ConformanceFailure(`expected failures name no case: ${unknown.join(", ")}`);
      };
      api.test("the list of expected failures is up to date", complain, timeoutMs);
    }
  });
}

/** Starts all cases when the first result is asked for, and hands the results out as they come. */
function runAhead<Harness>(
  cases: readonly ConformanceCase<Harness>[],
  target: ConformanceTarget<Harness>,
  options: { expectedFailures: ExpectedFailures; timeoutMs: number; concurrency: number },
): (id: string) => Promise<CaseResult> {
  const waiting = new Map<string, (result: CaseResult) => void>();
  const promises = new Map(
    cases.map(({ id }) => [id, new Promise<CaseResult>((resolve) => waiting.set(id, resolve))] as const),
  );
  let started = false;
  return (id) => {
    if (!started) {
      started = true;
      void executeCases(cases, target, { ...options, onResult: (result) => waiting.get(result.id)?.(result) });
    }
    const promise = promises.get(id);
    if (promise === undefined) {
      throw new ConformanceError("case-unknown", `There is no case ${id}.`);
    }
    return promise;
  };
}

function throwIfBad(result: CaseResult): void {
  if (!isBad(result.outcome)) {
    return;
  }
  const error = result.error ?? new ConformanceFailure(result.outcome);
  if (error instanceof ConformanceFailure && error.transcript !== "") {
    error.message += `\n${error.transcript}`;
  }
  throw error;
}

function citation(statements: readonly string[]): string {
  return statements.length === 0 ? "" : ` [${statements.join(", ")}]`;
}
