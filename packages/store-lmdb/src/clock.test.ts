import { expect, test } from "vitest";
import { type Moment, StoreClock, type SystemTime, timeOff } from "./clock.ts";

/* "A board without a clock loses what it acknowledged" (mosquitto #3238, #3405). */

const SECOND = 1000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TODAY = Date.UTC(2026, 10, 30);

const last = { wallMs: TODAY, uptimeMs: 50 * HOUR, boot: "a" };

test("within one start of the system, its uptime counts, whatever the wall clock says", () => {
  for (const setByMs of [0, HOUR, -HOUR, -56 * 365 * DAY, 30 * 365 * DAY]) {
    const now = { wallMs: TODAY + 10 * SECOND + setByMs, uptimeMs: last.uptimeMs + 10 * SECOND, boot: "a" };
    const { passedMs, doubt } = timeOff(last, now);
    expect(passedMs).toBe(10 * SECOND);
    expect(doubt === undefined).toBe(setByMs === 0);
  }
});

test("over a restart of the system, the wall clock counts when it may be right", () => {
  for (const offMs of [HOUR, DAY, 30 * DAY]) {
    const now = { wallMs: TODAY + offMs, uptimeMs: 40 * SECOND, boot: "b" };
    expect(timeOff(last, now)).toEqual({ passedMs: offMs, doubt: undefined });
  }
});

test.each([
  ["1972", Date.UTC(1972, 0, 1), TODAY],
  ["before", TODAY - HOUR, TODAY],
  ["31 days later", TODAY + 31 * DAY, TODAY],
  ["decades later", TODAY + 40 * 365 * DAY, TODAY],
  ["right again, and it was never set before", TODAY, Date.UTC(1972, 0, 1)],
  ["not set, as it was before", Date.UTC(1972, 0, 3), Date.UTC(1972, 0, 1)],
])("over a restart of the system, a wall clock that says %s is not believed", (_name, wallMs, lastWallMs) => {
  const now = { wallMs, uptimeMs: 40 * SECOND, boot: "b" };
  const { passedMs, doubt } = timeOff({ ...last, wallMs: lastWallMs }, now);
  expect(passedMs).toBe(40 * SECOND);
  expect(doubt).toMatch(/is not believed: 40 seconds are counted/);
});

test("the system has been running for so long at least", () => {
  const now = { wallMs: TODAY + HOUR, uptimeMs: HOUR + 2 * SECOND, boot: "b" };
  expect(timeOff(last, now).passedMs).toBe(HOUR + 2 * SECOND);
});

test("where the system does not name its starts, an uptime that goes on is one", () => {
  const before = { ...last, boot: undefined };
  const goesOn = { wallMs: TODAY + DAY, uptimeMs: last.uptimeMs + SECOND, boot: undefined };
  expect(timeOff(before, goesOn).passedMs).toBe(SECOND);
  const begins = { wallMs: TODAY + DAY, uptimeMs: SECOND, boot: undefined };
  expect(timeOff(before, begins).passedMs).toBe(DAY);
});

// A process, a system and a wall clock that somebody sets at every step, in both directions.
test.each([1, 2, 3, 4, 5, 6, 7, 8])("jumps and restarts at every step, seed %i", (seed) => {
  const random = randomly(seed);
  const world = new World();
  let clock = new StoreClock(world.time(), undefined);
  let written: Moment = clock.moment();
  let begunAt = { line: clock.nowMs(), trueMs: world.trueMs };
  for (let step = 0; step < 2000; step += 1) {
    world.pass(random(20 * SECOND));
    const choice = random(10);
    if (choice < 4) {
      world.offsetMs += (random(2) === 0 ? 1 : -1) * random([10 * SECOND, HOUR, 60 * 365 * DAY][random(3)]!);
    } else if (choice < 6) {
      written = clock.moment();
      world.pass(random(2 * HOUR));
      clock = new StoreClock(world.time(), written);
    } else if (choice < 7) {
      written = clock.moment();
      const offMs = random(3 * DAY);
      // A board without a clock begins in 1972; another kind may have been set to anything, and is set right later.
      world.restart(offMs, random(2) === 0 ? Date.UTC(1972, 0, 1) : world.wallMs() + offMs + 400 * DAY);
      world.pass(30 * SECOND);
      clock = new StoreClock(world.time(), written);
      world.offsetMs = 0;
      expect(clock.nowMs() - written.nowMs, `step ${step}`).toBeGreaterThanOrEqual(30 * SECOND);
      begunAt = { line: clock.nowMs(), trueMs: world.trueMs };
    }
    const passedMs = clock.nowMs() - begunAt.line;
    // Never ahead of what really passed, and behind by nothing while the system runs.
    expect(Math.abs(passedMs - (world.trueMs - begunAt.trueMs)), `step ${step}`).toBeLessThan(1);
    expect(clock.nowMs()).toBeGreaterThanOrEqual(written.nowMs);
  }
  expect(clock.nowMs() - TODAY).toBeLessThanOrEqual(world.trueMs);
});

test("a process reads the uptime of the system once a second, and knows it in between", () => {
  const world = new World();
  let reads = 0;
  const time = world.time();
  const uptimeMs = (): number => {
    reads += 1;
    return time.uptimeMs();
  };
  const clock = new StoreClock({ ...time, uptimeMs }, undefined);
  for (let count = 0; count < 100; count += 1) {
    expect(clock.moment().uptimeMs).toBeCloseTo(time.uptimeMs());
    world.pass(20);
  }
  expect(reads).toBeLessThanOrEqual(3);
});

/** The clocks of one machine. */
class World {
  trueMs = 0;
  /** By how much the wall clock is wrong. */
  offsetMs = 0;
  #boots = 1;
  #startedAtMs = -50 * HOUR;

  pass(ms: number): void {
    this.trueMs += ms;
  }

  wallMs(): number {
    return TODAY + this.trueMs + this.offsetMs;
  }

  restart(offMs: number, wallMs: number): void {
    this.trueMs += offMs;
    this.#startedAtMs = this.trueMs;
    this.#boots += 1;
    this.offsetMs = wallMs - TODAY - this.trueMs;
  }

  time(): SystemTime {
    return {
      wallMs: () => this.wallMs(),
      monotonicMs: () => this.trueMs + 7,
      uptimeMs: () => this.trueMs - this.#startedAtMs,
      boot: `${this.#boots}`,
    };
  }
}

function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
