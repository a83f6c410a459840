import { type Bounds, DEFAULT_BOUNDS } from "./attack.ts";
import type { CanaryReport } from "./canaries.ts";
import type { Reading } from "./program.ts";

/** All that was seen of one run of an attack. */
export interface Observation {
  /** What the attack itself found wrong. */
  readonly failures: readonly string[];
  readonly unlogged: readonly string[];
  /** How the program ended, if it did. */
  readonly exit: string | undefined;
  /** Undefined when the program did not answer. */
  readonly reading: Reading | undefined;
  /** Undefined where there were none. */
  readonly canaries: { readonly before: CanaryReport; readonly during: CanaryReport } | undefined;
  /** Sockets and files of the broker that were not there before and did not go. */
  readonly leftOpen: number;
}

export type Verdict = "held" | "unlogged" | "failed";

export interface Judgement {
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
}

/**
 * What counts, counts in processor time and in numbers, so that it comes out alike on a machine that has other things to
 * do. A round trip is a time, so it is only judged where the broker did not have to wait for a processor.
 */
export function judge(seen: Observation, attack: Partial<Bounds> = {}): Judgement {
  const bounds = { ...DEFAULT_BOUNDS, ...attack };
  const failures = [...seen.failures];
  if (seen.exit !== undefined) {
    failures.push(`the process ended: ${seen.exit}`);
  } else if (seen.reading === undefined) {
    failures.push("the process did not answer any more");
  }
  if (seen.reading !== undefined) {
    failures.push(...judgeReading(seen.reading, bounds));
  }
  if (seen.canaries !== undefined) {
    failures.push(...judgeCanaries(seen.canaries, seen.reading, bounds));
  }
  if (seen.leftOpen > 0) {
    failures.push(`${seen.leftOpen} connections stayed open`);
  }
  if (failures.length > 0) {
    return { verdict: "failed", reasons: [...failures, ...seen.unlogged.map((what) => `not logged: ${what}`)] };
  }
  if (seen.unlogged.length > 0) {
    return { verdict: "unlogged", reasons: seen.unlogged.map((what) => `not logged: ${what}`) };
  }
  return { verdict: "held", reasons: [] };
}

function judgeReading(reading: Reading, { blockMs, memoryMb, cpuMs }: Bounds): string[] {
  const failures: string[] = [];
  const [block] = reading.blocks;
  const longest = block === undefined ? 0 : block.workMs - block.slackMs;
  // A single turn above it may be code that was compiled: what an attacker causes, comes again, or is far above.
  if (longest > blockMs * FAR_ABOVE || (longest > blockMs && reading.blocksAboveLimit > ALLOWED_ABOVE)) {
    failures.push(
      `the loop was blocked for ${block?.workMs.toFixed(0)} ms (${reading.blocksAboveLimit} times above 10 ms)`,
    );
  }
  const grownMb = (reading.rssPeakBytes - reading.rssBeforeBytes) / MEGABYTE;
  if (grownMb > memoryMb) {
    failures.push(`memory grew by ${grownMb.toFixed(0)} MB`);
  }
  if (reading.loopCpuMs > cpuMs) {
    failures.push(`${reading.loopCpuMs.toFixed(0)} ms of processor time, where ${cpuMs} are enough`);
  }
  return failures;
}

function judgeCanaries(
  { before, during }: NonNullable<Observation["canaries"]>,
  reading: Reading | undefined,
  { p99Factor }: Bounds,
): string[] {
  const failures: string[] = [];
  if (during.lost > 0) {
    failures.push(`${during.lost} of the canaries' ${during.sent} messages were lost`);
  }
  if (during.disconnected > 0) {
    const codes = during.reasonCodes.map((code) => `0x${code.toString(16)}`).join(", ");
    failures.push(`canaries were disconnected ${during.disconnected} times${codes && ` (${codes})`}`);
  }
  const limit = Math.max(before.tripsMs.p99 * p99Factor, before.tripsMs.p99 + LEAST_DIFFERENCE_MS);
  if (during.tripsMs.p99 > limit && reading !== undefined && !isMachineBusy(reading)) {
    failures.push(`the canaries' p99 went from ${ms(before.tripsMs.p99)} to ${ms(during.tripsMs.p99)}`);
  }
  return failures;
}

function isMachineBusy({ waitedForCpuMs, loopCpuMs }: Reading): boolean {
  return waitedForCpuMs > loopCpuMs * BUSY_SHARE;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

const MEGABYTE = 1024 * 1024;
const FAR_ABOVE = 2.5;
const ALLOWED_ABOVE = 2;
/** Scheduling on a machine with two cores moves a p99 this far by itself. */
const LEAST_DIFFERENCE_MS = 50;
const BUSY_SHARE = 0.25;
