import type { Attack } from "./attack.ts";
import { Canaries, type CanaryReport } from "./canaries.ts";
import { Context } from "./context.ts";
import { environmentOf, type PlannedRun } from "./plan.ts";
import type { Reading } from "./program.ts";
import { Server, users } from "./server.ts";
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
      stage ??= await Stage.open(attack, variant, options.script);
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

/** A program with its canaries, and how these fare when nothing happens. */
class Stage {
  readonly environment: string;
  readonly server: Server;
  readonly canaries: Canaries;
  readonly quiet: CanaryReport;

  private constructor(environment: string, server: Server, canaries: Canaries, quiet: CanaryReport) {
    this.environment = environment;
    this.server = server;
    this.canaries = canaries;
    this.quiet = quiet;
  }

  static async open(attack: Attack, variant: Variant, script: string | undefined): Promise<Stage> {
    const server = await Server.start(variant, script, attack.server);
    // Where the program has no WebSockets there are none to measure.
    const transports = (["tcp", "ws"] as const).filter((transport) => server.program.urls.has(transport));
    const canaries = await Canaries.start(server.program, transports, { username: "canary", password: users.canary });
    // The first messages find code that was never run.
    await sleep(WARM_UP_MS);
    await canaries.begin();
    await sleep(QUIET_MS);
    const quiet = await canaries.report();
    if (quiet === undefined) {
      throw new Error("the canaries do not answer");
    }
    return new Stage(attack.server === undefined ? environmentOf(variant) : "own", server, canaries, quiet);
  }

  async close(): Promise<void> {
    this.canaries.stop();
    await this.server.stop();
  }
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

const WARM_UP_MS = 300;
const QUIET_MS = 500;
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
