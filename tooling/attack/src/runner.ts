import type { Attack } from "./attack.ts";
import type { CanaryReport } from "./canaries.ts";
import { Context } from "./context.ts";
import { environmentOf, type PlannedRun } from "./plan.ts";
import type { Reading } from "./program.ts";
import { Stage } from "./stage.ts";
import type { Variant } from "./variant.ts";
import { type Judgement, judge } from "./verdict.ts";
import { sleep, until, within } from "./wait.ts";

/** One line of the table. */
export interface Result extends Judgement {
  readonly id: string;
  readonly title: string;
  readonly expected: string;
  readonly variant: Variant;
  readonly notes: readonly string[];
  readonly tookMs: number;
  readonly reading: Reading | undefined;
  readonly canaries: { readonly before: CanaryReport; readonly during: CanaryReport } | undefined;
}

export interface RunnerOptions {
  readonly seed: number;
  /** The script that stands in for `tidewire`. */
  readonly script: string | undefined;
  readonly onResult: (result: Result) => void;
}

/** Runs what was planned, one after the other; a program is used again for as long as nothing is wrong with it. */
export async function run(runs: readonly PlannedRun[], options: RunnerOptions): Promise<readonly Result[]> {
  const results: Result[] = [];
  let stage: Stage | undefined;
  for (const [index, { attack, variant }] of runs.entries()) {
    const isOwn = attack.server !== undefined;
    if (isOwn || stage?.environment !== environmentOf(variant)) {
      await stage?.close();
      stage = undefined;
    }
    const result = await runOne(attack, variant, options.seed + index * 7919, async () => {
      stage ??= await Stage.open(variant, options.script, attack.server);
      return stage;
    });
    options.onResult(result);
    results.push(result);
    if (isOwn || result.verdict === "failed") {
      await stage?.close();
      stage = undefined;
    }
  }
  await stage?.close();
  return results;
}

async function runOne(attack: Attack, variant: Variant, seed: number, stageFor: () => Promise<Stage>): Promise<Result> {
  const from = performance.now();
  const { id, title, expected } = attack;
  const base = { id, title, expected, variant };
  let stage: Stage;
  try {
    stage = await stageFor();
  } catch (error) {
    const reasons = [`it could not be run: ${(error as Error).message}`];
    const tookMs = performance.now() - from;
    return { ...base, verdict: "failed", reasons, notes: [], tookMs, reading: undefined, canaries: undefined };
  }
  const { program } = stage.server;
  const openBefore = program.openFiles();
  await program.begin();
  await stage.canaries.begin();
  const context = new Context(stage.server, variant, seed);
  try {
    if ((await within(attack.run(context), LONGEST_MS, "late")) === "late") {
      context.failures.push(`not done after ${LONGEST_MS / 1000} s`);
    }
  } catch (error) {
    context.failures.push((error as Error).message);
  }
  // What a short attack has done to others shows in the messages right behind it.
  await sleep(AFTERMATH_MS);
  const reading = attack.standsAlone === true ? undefined : await program.read();
  const during = await stage.canaries.report();
  await context.close();
  const isGone = await until(() => program.exit !== undefined || program.openFiles() <= openBefore, LEAVING_MS);
  const canaries = during && attack.standsAlone !== true ? { before: stage.quiet, during } : undefined;
  const seen = {
    failures: context.failures,
    unlogged: context.unlogged,
    exit: program.exit === undefined ? undefined : `${program.exit}: ${program.lastWords()}`,
    reading: attack.standsAlone === true ? NOTHING_READ : reading,
    canaries,
    leftOpen: isGone ? 0 : program.openFiles() - openBefore,
  };
  const judgement = judge(seen, attack.bounds);
  return { ...base, ...judgement, notes: context.notes, tookMs: performance.now() - from, reading, canaries };
}

const AFTERMATH_MS = 60;
/** Nothing may stay open for longer than the handshake's own time limit. */
const LEAVING_MS = 12_000;
const LONGEST_MS = 120_000;

const NOTHING_READ: Reading = {
  wallMs: 0,
  loopCpuMs: 0,
  waitedForCpuMs: 0,
  processCpuMs: 0,
  utilization: 0,
  collectionMs: 0,
  blocks: [],
  blocksAboveLimit: 0,
  delayP99Ms: 0,
  rssBeforeBytes: 0,
  rssPeakBytes: 0,
  rssBytes: 0,
};
