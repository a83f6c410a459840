import { executeCases, isBad } from "@tidewire/conformance";
import { type BrokerCase, type BrokerHarness, brokerCases } from "@tidewire/conformance/broker";
import { type Saboteur, sabotage, saboteurs } from "@tidewire/conformance/sabotage";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CAPABILITIES, startOverMock, startWithProfiles } from "./conformance-targets.ts";

/** Saboteurs at work at the same time, and cases of each: they wait for time-outs, not for the processor. */
const SIDE_BY_SIDE = 10;
const CONCURRENCY = 40;

/** A case that took longer with the correct broker waits for the clock; it runs for saboteurs of its statements only. */
const SLOW_MS = 1_000;

const brokers = await startWithProfiles((options) => startOverMock(options));
afterAll(() => brokers.close());

interface Verdict {
  /** Failed, and should: they name the statement that is broken, or one that breaks along with it. */
  readonly caught: readonly string[];
  /** Failed, and should not. */
  readonly unrelated: readonly string[];
  /** One of the caught names the very statement. */
  readonly exact: boolean;
}

const verdicts = new Map<Saboteur, Promise<Verdict>>();
const slow = new Set<string>();

/** The correct broker passes everything, or what the saboteurs show would mean nothing. */
beforeAll(async () => {
  const target = { name: "correct", capabilities: CAPABILITIES, setup: brokers.harness };
  const results = await executeAll(brokerCases, target);
  expect(results.filter(({ outcome }) => isBad(outcome)).map(({ id, error }) => `${id}: ${error?.message}`)).toEqual(
    [],
  );
  for (const { id, durationMs } of results) {
    if (durationMs > SLOW_MS) {
      slow.add(id);
    }
  }
  startAll();
}, 300_000);

/** Cases that count seconds can fail beside forty others on a busy machine: what failed is tried once more, alone. */
async function executeAll(
  cases: readonly BrokerCase[],
  target: Parameters<typeof executeCases<BrokerHarness>>[1],
): Promise<Awaited<ReturnType<typeof executeCases>>> {
  const together = await executeCases(cases, target, { concurrency: CONCURRENCY });
  const bad = new Set(together.filter(({ outcome }) => isBad(outcome)).map(({ id }) => id));
  const again = cases.filter(({ id }) => bad.has(id));
  const alone = again.length === 0 ? [] : await executeCases(again, target, { concurrency: 1 });
  return [...together.filter(({ id }) => !bad.has(id)), ...alone];
}

/** Each of the workers takes the next saboteur when it is done with one; each test awaits its own. */
function startAll(): void {
  const waiting = saboteurs.map((saboteur) => {
    let start: () => void = () => {};
    const started = new Promise<void>((resolve) => {
      start = resolve;
    });
    const verdict = started.then(() => judge(saboteur));
    verdicts.set(saboteur, verdict);
    return { start, verdict };
  });
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      next.start();
      await next.verdict;
    }
  };
  for (let worker = 0; worker < SIDE_BY_SIDE; worker += 1) {
    void work();
  }
}

async function judge(saboteur: Saboteur): Promise<Verdict> {
  const broken = [saboteur.breaks, ...(saboteur.also ?? [])].map((id) => `MQTT-${id}`);
  const isRelated = ({ statements }: Pick<BrokerCase, "statements">): boolean =>
    statements.some((id) => broken.includes(id));
  const harness = { ...brokers.harness(), dial: sabotage(brokers.dial, saboteur), answerTimeoutMs: 2_000 };
  const results = await executeAll(
    brokerCases.filter((one) => one.version === saboteur.version && (!slow.has(one.id) || isRelated(one))),
    { name: saboteur.id, capabilities: CAPABILITIES, setup: () => harness },
  );
  const failed = results.filter(({ outcome }) => isBad(outcome));
  const related = failed.filter(isRelated);
  return {
    caught: related.map(({ id }) => id),
    unrelated: failed.filter((result) => !isRelated(result)).map(({ id, error }) => `${id}: ${error?.message}`),
    exact: related.some(({ statements }) => statements.includes(`MQTT-${saboteur.breaks}`)),
  };
}

describe("brokers with one rule broken", () => {
  test("there are at least forty, each with a name of its own", () => {
    expect(new Set(saboteurs.map(({ id }) => id)).size).toBe(saboteurs.length);
    expect(saboteurs.length).toBeGreaterThanOrEqual(40);
  });

  for (const saboteur of saboteurs) {
    test(`${saboteur.id}: ${saboteur.fault} [${saboteur.version} MQTT-${saboteur.breaks}]`, {
      timeout: 180_000,
    }, async () => {
      const verdict = await verdicts.get(saboteur);
      expect(verdict?.unrelated).toEqual([]);
      expect(verdict?.exact, `caught by ${verdict?.caught.join(", ") || "no case"}`).toBe(true);
    });
  }
});
