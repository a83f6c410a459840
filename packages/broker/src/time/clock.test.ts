import { expect, it } from "vitest";
import { Clock } from "./clock.ts";

/* "Wall-clock differences used as durations" (mosquitto #3238, #3405). */

const start = 1_700_000_000_000;

it("begins as the wall clock stands, and counts what passes", () => {
  const { loop, clock } = setUp();
  expect(clock.nowMs()).toBe(start);
  loop.now += 10;
  expect(clock.nowMs()).toBe(start + 10);
});

it.each([-86_400_000, 3_600_000, -start])("does not care when the wall clock is set by %i ms", (byMs) => {
  const { loop, wall, clock } = setUp();
  clock.nowMs();
  wall.ms += byMs;
  loop.now += 20;
  expect(clock.nowMs()).toBe(start + 20);
  wall.ms -= byMs;
  loop.now += 500;
  expect(clock.nowMs()).toBe(start + 520);
});

it("goes on from a store's time, where there is one", () => {
  const { loop, clock } = setUp();
  clock.nowMs();
  clock.goOnFrom(5000);
  loop.now += 7;
  expect(clock.nowMs()).toBe(5007);
  clock.goOnFrom(undefined);
  expect(clock.nowMs()).toBe(start);
});

function setUp(): { loop: { now: number }; wall: { ms: number }; clock: Clock } {
  const loop = { now: 1234 };
  const wall = { ms: start };
  return { loop, wall, clock: new Clock(loop, () => wall.ms) };
}
