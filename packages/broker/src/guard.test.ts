import { VirtualScheduler } from "@tidewire/transport-mock";
import { expect, it, test } from "vitest";
import { guardedScheduler } from "./guard.ts";

const failure = new Error("no");
const fail = (): never => {
  throw failure;
};

it("reports what throws, and does what else is due", () => {
  const { guarded, scheduler, failures, done } = setUp();
  guarded.setTimer(fail, 1);
  guarded.setTimer(() => done.push("timer"), 1);
  guarded.defer(fail);
  guarded.defer(() => done.push("deferred"));
  guarded.later?.(fail);
  guarded.later?.(() => done.push("later"));
  scheduler.advance(1);
  expect(done).toEqual(["deferred", "later", "timer"]);
  expect(failures).toEqual([failure, failure, failure]);
});

test("time and timers are those of the scheduler behind it", () => {
  const { guarded, scheduler, done } = setUp();
  guarded.clearTimer(guarded.setTimer(() => done.push("cleared"), 1));
  scheduler.advance(5);
  expect(guarded.now()).toBe(5);
  expect(done).toEqual([]);
});

test("a scheduler's own way to a later turn is taken where there is one", () => {
  const { scheduler, failures, done } = setUp();
  const turns: (() => void)[] = [];
  const own = {
    now: () => 0,
    defer: (callback: () => void) => scheduler.defer(callback),
    setTimer: () => expect.unreachable(),
    clearTimer() {},
    later: (callback: () => void) => turns.push(callback),
  };
  const guarded = guardedScheduler(own, (error) => failures.push(error));
  guarded.later?.(() => done.push("later"));
  guarded.later?.(fail);
  expect(done).toEqual([]);
  for (const turn of turns) {
    turn();
  }
  expect([done, failures]).toEqual([["later"], [failure]]);
});

function setUp(): {
  guarded: ReturnType<typeof guardedScheduler>;
  scheduler: VirtualScheduler;
  failures: unknown[];
  done: string[];
} {
  const scheduler = new VirtualScheduler();
  const failures: unknown[] = [];
  return { guarded: guardedScheduler(scheduler, (error) => failures.push(error)), scheduler, failures, done: [] };
}
