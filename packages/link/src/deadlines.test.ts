import { VirtualScheduler } from "@tidewire/transport-mock";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Deadlines, type Sleeper } from "./deadlines.ts";
import type { Scheduler } from "./scheduler.ts";

test("wakes each in its time and in order, whatever was moved or removed before", () => {
  const step = fc.record({ sleeper: fc.nat(20), time: fc.integer({ min: 1, max: 1000 }), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const scheduler = new VirtualScheduler();
      const deadlines = new Deadlines(scheduler);
      const woken: [index: number, at: number][] = [];
      const sleepers = Array.from({ length: 21 }, (_, index) => sleeper(() => woken.push([index, scheduler.now()])));
      const model = new Map<number, number>();
      for (const { sleeper: index, time, remove } of steps) {
        if (remove) {
          deadlines.remove(sleepers[index] as Sleeper);
          model.delete(index);
        } else {
          deadlines.wakeBy(sleepers[index] as Sleeper, time);
          model.set(index, Math.min(time, model.get(index) ?? time));
        }
      }
      expect(scheduler.nextAtMs === undefined).toBe(model.size === 0);
      scheduler.advance(1000);
      expect(woken.map(([, at]) => at)).toEqual([...model.values()].sort((a, b) => a - b));
      expect(new Map(woken)).toEqual(model);
      expect(scheduler.nextAtMs).toBeUndefined();
    }),
  );
});

test("the last one, put in the place of one that was removed, may be earlier than those above it there", () => {
  const scheduler = new VirtualScheduler();
  const deadlines = new Deadlines(scheduler);
  const woken: [time: number, at: number][] = [];
  const sleepers = new Map(
    [1, 10, 2, 20, 21, 30, 5].map((time) => [time, sleeper((now) => woken.push([time, now]))] as const),
  );
  for (const [time, one] of sleepers) {
    deadlines.wakeBy(one, time);
  }
  deadlines.remove(sleepers.get(20) as Sleeper);
  scheduler.advance(30);
  expect(woken).toEqual([1, 2, 5, 10, 21, 30].map((time) => [time, time]));
});

test("one that is woken may set, move and remove others", () => {
  const scheduler = new VirtualScheduler();
  const deadlines = new Deadlines(scheduler);
  const woken: string[] = [];
  const removed = sleeper(() => woken.push("removed"));
  const again: Sleeper = sleeper((now) => {
    woken.push(`again ${now}`);
    if (now < 30) {
      deadlines.wakeBy(again, now + 10);
    }
  });
  const first = sleeper(() => {
    woken.push("first");
    deadlines.remove(removed);
    deadlines.wakeBy(again, 5);
  });
  deadlines.wakeBy(first, 10);
  deadlines.wakeBy(removed, 10);
  scheduler.advance(100);
  expect(woken).toEqual(["first", "again 10", "again 20", "again 30"]);
  expect(scheduler.nextAtMs).toBeUndefined();
});

test("one that throws keeps none of the others asleep", () => {
  const scheduler = new VirtualScheduler();
  const deadlines = new Deadlines(scheduler);
  const woken: number[] = [];
  const failing = sleeper(() => {
    throw new Error("from the one that was woken");
  });
  deadlines.wakeBy(failing, 10);
  for (const time of [10, 20]) {
    deadlines.wakeBy(
      sleeper((now) => woken.push(now)),
      time,
    );
  }
  expect(() => scheduler.advance(10)).toThrow("from the one that was woken");
  scheduler.advance(10);
  expect(woken).toHaveLength(2);
});

test("waits longer than a timer can", () => {
  const scheduler = new VirtualScheduler();
  const woken: number[] = [];
  new Deadlines(scheduler).wakeBy(
    sleeper((now) => woken.push(now)),
    40 * DAY_MS,
  );
  scheduler.advance(39 * DAY_MS);
  expect(woken).toEqual([]);
  scheduler.advance(DAY_MS);
  expect(woken).toEqual([40 * DAY_MS]);
});

const DAY_MS = 24 * 3_600_000;

function sleeper(wake: (now: number) => void): Sleeper {
  return { wakeAt: Number.POSITIVE_INFINITY, heapIndex: -1, wake };
}

/*
 * Attack 72's neighbour, seen in November 2026: SIGSTOP for 32 s with keep-alive 20, and clients whose PINGREQ lay in the
 * socket were cut.
 */
test("a timer that goes off late leaves two turns to I/O before it wakes anyone, and no more than two", () => {
  const { scheduler, jump, runLater } = stoppable();
  const deadlines = new Deadlines(scheduler);
  const woken: number[] = [];
  deadlines.wakeBy(
    sleeper((now) => woken.push(now)),
    20_000,
  );
  jump(32_000);
  expect(woken).toEqual([]);
  runLater();
  expect(woken).toEqual([]);
  runLater();
  expect(woken).toEqual([32_000]);
  // A busy process, not a peer, is late by a second each time: it is judged all the same.
  deadlines.wakeBy(
    sleeper((now) => woken.push(now)),
    40_000,
  );
  jump(41_000);
  runLater();
  runLater();
  expect(woken).toEqual([32_000, 41_000]);
});

test("a timer that is a little late wakes at once", () => {
  const { scheduler, jump } = stoppable();
  const woken: number[] = [];
  new Deadlines(scheduler).wakeBy(
    sleeper((now) => woken.push(now)),
    1000,
  );
  jump(1010);
  expect(woken).toEqual([1010]);
});

test("who was removed, or moved later, while a late timer waited is not woken by it", () => {
  const { scheduler, jump, runLater } = stoppable();
  const deadlines = new Deadlines(scheduler);
  const woken: string[] = [];
  const removed = sleeper(() => woken.push("removed"));
  deadlines.wakeBy(removed, 10);
  jump(1000);
  deadlines.remove(removed);
  deadlines.wakeBy(
    sleeper(() => woken.push("new")),
    2000,
  );
  runLater();
  runLater();
  expect(woken).toEqual([]);
  jump(2000);
  expect(woken).toEqual(["new"]);
});

/** A scheduler of a process that stands still: `jump` lets timers go off late, `runLater` ends a turn. */
function stoppable(): { scheduler: Scheduler; jump: (now: number) => void; runLater: () => void } {
  let time = 0;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  const queue: (() => void)[] = [];
  const scheduler: Scheduler = {
    now: () => time,
    defer: (callback) => callback(),
    later: (callback) => void queue.push(callback),
    setTimer: (callback, delayMs) => {
      const timer = { at: time + delayMs, callback };
      timers.add(timer);
      return timer;
    },
    clearTimer: (handle) => void timers.delete(handle as never),
  };
  const jump = (now: number): void => {
    time = now;
    for (const timer of [...timers].filter(({ at }) => at <= now)) {
      timers.delete(timer);
      timer.callback();
    }
  };
  const runLater = (): void => {
    for (const callback of queue.splice(0)) {
      callback();
    }
  };
  return { scheduler, jump, runLater };
}

test("cleared, wakes nobody and leaves no timer", () => {
  const scheduler = new VirtualScheduler();
  const deadlines = new Deadlines(scheduler);
  const woken: number[] = [];
  for (const time of [3, 1, 2]) {
    deadlines.wakeBy(
      sleeper((now) => woken.push(now)),
      time,
    );
  }
  deadlines.clear();
  expect(scheduler.nextAtMs).toBeUndefined();
  scheduler.advance(10);
  expect(woken).toEqual([]);
  deadlines.wakeBy(
    sleeper((now) => woken.push(now)),
    15,
  );
  scheduler.advance(10);
  expect(woken).toEqual([15]);
});
