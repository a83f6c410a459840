import type { CaseResult, ConformanceCase, ConformanceTarget, ExpectedFailures, Outcome } from "./case.ts";
import { ConformanceFailure } from "./failure.ts";
import { CASE_TIMEOUT_MS, CONCURRENCY } from "./limits.ts";

export interface ExecuteOptions {
  readonly expectedFailures?: ExpectedFailures;
  /** Milliseconds for one case. Default 20,000. */
  readonly timeoutMs?: number;
}

export interface ExecuteAllOptions extends ExecuteOptions {
  /** Cases at a time. Default 24. */
  readonly concurrency?: number;
  /** Called as each case ends, in the order they end. */
  onResult?(result: CaseResult): void;
}

/** Runs one case against one target. Never throws: the result says what happened. */
export async function executeCase<Harness>(
  testCase: ConformanceCase<Harness>,
  target: ConformanceTarget<Harness>,
  options: ExecuteOptions = {},
): Promise<CaseResult> {
  const { id, title, statements, version } = testCase;
  const result = (outcome: Outcome, started: number, details: { reason?: string; error?: Error } = {}): CaseResult => ({
    id,
    title,
    statements,
    version,
    outcome,
    durationMs: Math.round(performance.now() - started),
    ...details,
  });
  const started = performance.now();
  const missing = testCase.needs?.find((capability) => !target.capabilities.includes(capability));
  if (missing !== undefined) {
    return result("skipped", started, { reason: `needs ${missing}` });
  }

  const reason = options.expectedFailures?.[id];
  const error = await attempt(testCase, target, testCase.timeoutMs ?? options.timeoutMs ?? CASE_TIMEOUT_MS);
  if (error === undefined) {
    if (reason === undefined) {
      return result("passed", started);
    }
    return result("unexpected-pass", started, {
      reason,
      error: new ConformanceFailure(`passes, although it is listed as an expected failure: ${reason}`),
    });
  }
  if (reason === undefined) {
    return result("failed", started, { error });
  }
  return result("expected-failure", started, { reason, error });
}

/** Runs cases side by side; the results are in the order of the cases. */
export async function executeCases<Harness>(
  cases: readonly ConformanceCase<Harness>[],
  target: ConformanceTarget<Harness>,
  options: ExecuteAllOptions = {},
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let testCase = cases[next]; testCase !== undefined; testCase = cases[next]) {
      const index = next;
      next += 1;
      const result = await executeCase(testCase, target, options);
      results[index] = result;
      options.onResult?.(result);
    }
  };
  const workers = Math.min(options.concurrency ?? CONCURRENCY, cases.length);
  await Promise.all(Array.from({ length: workers }, worker));
  return results;
}

async function attempt<Harness>(
  testCase: ConformanceCase<Harness>,
  target: ConformanceTarget<Harness>,
  timeoutMs: number,
): Promise<Error | undefined> {
  try {
    const harness = await target.setup();
    try {
      await withTimeout(testCase, harness, timeoutMs);
    } finally {
      await target.teardown?.(harness);
    }
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause : new Error(String(cause), { cause });
  }
}

async function withTimeout<Harness>(
  testCase: ConformanceCase<Harness>,
  harness: Harness,
  timeoutMs: number,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new ConformanceFailure(`not finished after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([testCase.run(harness), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
