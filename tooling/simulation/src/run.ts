import type { Sabotage } from "./sabotage.ts";
import { type Schedule, schedule } from "./schedule.ts";
import { World } from "./world.ts";

/** Plays one schedule; what went wrong, or undefined. */
export function play(plan: Schedule, sabotage?: Sabotage): Error | undefined {
  try {
    new World(plan, sabotage).run(plan);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

export function playSeed(seed: number, sabotage?: Sabotage): Error | undefined {
  return play(schedule(seed), sabotage);
}
