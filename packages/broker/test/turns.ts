import type { Lab } from "./harness.ts";

/** What the turns of a lab's loop have cost since `watchTurns`. */
export interface Turns {
  count: number;
  /** CPU time of the longest, garbage collection included. */
  longestMs: number;
  /** By how much the test's own count rose in the turn in which it rose most. */
  mostCounted: number;
}

/** Measures every callback of the virtual loop, each a turn, in CPU time: other processes at work change nothing. */
export function watchTurns(lab: Lab, count: () => number = () => 0): Turns {
  const turns: Turns = { count: 0, longestMs: 0, mostCounted: 0 };
  const { scheduler } = lab.network;
  const measured = (callback: () => void) => (): void => {
    const countBefore = count();
    const before = process.cpuUsage();
    callback();
    const { user, system } = process.cpuUsage(before);
    turns.count += 1;
    turns.mostCounted = Math.max(turns.mostCounted, count() - countBefore);
    turns.longestMs = Math.max(turns.longestMs, (user + system) / 1000);
  };
  for (const name of ["setTimer", "setNetworkEvent"] as const) {
    const set = scheduler[name].bind(scheduler) as (callback: () => void, delayMs: number) => never;
    scheduler[name] = (callback: () => void, delayMs: number) => set(measured(callback), delayMs);
  }
  const defer = scheduler.defer.bind(scheduler);
  scheduler.defer = (callback) => defer(measured(callback));
  return turns;
}
