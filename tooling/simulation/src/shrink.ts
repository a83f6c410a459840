import { play } from "./run.ts";
import type { Sabotage } from "./sabotage.ts";
import type { Schedule, Step } from "./schedule.ts";

/** The shortest schedule found that still fails, and how it fails. */
export interface Shrunk {
  readonly plan: Schedule;
  readonly error: Error;
}

/** Leaves steps out, halves first and single ones at last, for as long as the run still fails. */
export function shrink(plan: Schedule, sabotage?: Sabotage): Shrunk {
  const error = play(plan, sabotage);
  if (error === undefined) {
    throw new Error("this schedule does not fail");
  }
  let best: Shrunk = { plan, error };
  for (let size = plan.steps.length >> 1; size > 0; ) {
    const shorter = withoutSome(best.plan, size, sabotage);
    if (shorter !== undefined) {
      best = shorter;
    } else {
      size >>= 1;
    }
  }
  return best;
}

export function describe({ config, steps }: Schedule): string {
  const lines = steps.map(({ afterMs, action }) => `  +${afterMs} ms ${JSON.stringify(action)}`);
  return [`  ${JSON.stringify(config)}`, ...lines].join("\n");
}

/** A failing schedule with `size` steps less. */
function withoutSome(plan: Schedule, size: number, sabotage: Sabotage | undefined): Shrunk | undefined {
  for (let at = 0; at < plan.steps.length; at += size) {
    const steps: Step[] = [...plan.steps];
    steps.splice(at, size);
    const shorter: Schedule = { config: plan.config, steps };
    const error = play(shorter, sabotage);
    if (error !== undefined) {
      return { plan: shorter, error };
    }
  }
  return undefined;
}
