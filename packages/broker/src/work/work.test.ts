import { describe, expect, it } from "vitest";
import { JOB_STEPS, TURN_STEPS } from "../limits.ts";
import { type Steps, Work } from "./work.ts";

function setUp() {
  const due: (() => void)[] = [];
  const failures: unknown[] = [];
  const scheduler = { later: (callback: () => void) => due.push(callback), setTimer: () => undefined };
  const work = new Work({ scheduler, onFailure: (error) => failures.push(error) });
  /** False when nothing is due. */
  const turn = (): boolean => {
    const callback = due.shift();
    callback?.();
    expect(due.length).toBeLessThanOrEqual(1);
    return callback !== undefined;
  };
  return { failures, turn, work };
}

/** A job of so many steps, that notes how many it did when. */
function job(name: string, total: number, log: [string, number][]) {
  let left = total;
  return {
    work(steps: Steps): boolean {
      const done = Math.min(left, steps.left);
      log.push([name, done]);
      left -= done;
      steps.left -= done;
      return left === 0;
    },
  };
}

describe("Work", () => {
  it("does no more than a turn's share in a turn, each job's part after the other's", () => {
    const { turn, work } = setUp();
    const log: [string, number][] = [];
    work.start(job("large", 3 * TURN_STEPS, log));
    work.start(job("small", 10, log));
    turn();
    expect(log.slice(0, 3)).toEqual([
      ["large", JOB_STEPS],
      ["small", 10],
      ["large", JOB_STEPS],
    ]);
    expect(log.reduce((sum, [, steps]) => sum + steps, 0)).toBe(TURN_STEPS);
    let turns = 1;
    while (turn()) {
      turns += 1;
    }
    expect(turns).toBe(4);
    expect(work.size).toBe(0);
  });

  it("goes on with the next after a job that fails, which is over", () => {
    const { failures, turn, work } = setUp();
    const log: [string, number][] = [];
    work.start({
      work: () => {
        throw new Error("broken");
      },
    });
    work.start(job("other", 5, log));
    turn();
    expect([log, failures.length, work.size]).toEqual([[["other", 5]], 1, 0]);
    expect(turn()).toBe(false);
  });

  it("ends a turn with jobs that count nothing, and does not do one that was stopped", () => {
    const { turn, work } = setUp();
    let calls = 0;
    const idle = {
      work: () => {
        calls += 1;
        return false;
      },
    };
    work.start(idle);
    turn();
    expect(calls).toBe(TURN_STEPS);
    work.stop(idle);
    turn();
    expect(calls).toBe(TURN_STEPS);
  });

  it("does the first of many at once, and counts them; the others in later turns", () => {
    const { turn, work } = setUp();
    const seen: number[] = [];
    const many = Array.from({ length: 1500 }, (_, index) => index);
    work.each(many, 10, (item) => seen.push(item));
    expect(seen.length).toBe(TURN_STEPS / 10);
    expect(work.exhausted).toBe(true);
    const later: number[] = [];
    work.each([1], 10, (item) => later.push(item));
    expect(later).toEqual([]);
    turn();
    expect([seen, later]).toEqual([many, [1]]);
    turn();
    expect(work.exhausted).toBe(false);
  });
});
