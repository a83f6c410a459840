import { playSeed } from "./run.ts";
import { schedule } from "./schedule.ts";
import { describe, shrink } from "./shrink.ts";

/** `pnpm sim --seeds N [--start SEED]`: plays N seeds; a failing one is shrunk, shown, and can be played alone. */
export function main(args: readonly string[]): number {
  const count = option(args, "--seeds", 1000);
  const start = option(args, "--start", 1);
  if (count === undefined || start === undefined) {
    console.error("Usage: pnpm sim [--seeds N] [--start SEED]");
    return 2;
  }
  const began = performance.now();
  let failures = 0;
  for (let seed = start; seed < start + count; seed += 1) {
    const error = playSeed(seed);
    if (error !== undefined) {
      failures += 1;
      report(seed, error);
    }
    const done = seed - start + 1;
    if (done % PROGRESS === 0) {
      const rate = Math.round((done / (performance.now() - began)) * 1000);
      console.log(`${done} seeds, ${failures} failed, ${rate} seeds/s`);
    }
  }
  console.log(`${count} seeds, ${failures} failed`);
  return failures === 0 ? 0 : 1;
}

function report(seed: number, error: Error): void {
  const shortest = shrink(schedule(seed));
  console.log(`seed ${seed}: ${error.message}`);
  console.log(describe(shortest.plan));
  console.log(`  ends with: ${shortest.error.stack ?? shortest.error.message}`);
  console.log(`  again: pnpm sim --seeds 1 --start ${seed}`);
}

/** Undefined when the option is there and no whole number follows. */
function option(args: readonly string[], name: string, fallback: number): number | undefined {
  const index = args.indexOf(name);
  if (index < 0) {
    return fallback;
  }
  const text = args[index + 1] ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

const PROGRESS = 10_000;
