import type { LinkLoop } from "@tidewire/link";
import { expect, it } from "vitest";
import { Clock } from "./clock.ts";

const start = 1_700_000_000_000;

it("follows the wall clock, read once a turn", () => {
  const { loop, wall, clock } = setUp();
  expect(clock.nowMs()).toBe(start);
  wall.ms += 5000;
  expect(clock.nowMs()).toBe(start);
  loop.now += 10;
  expect(clock.nowMs()).toBe(start + 5000);
});

it("goes on by the time that passes when the wall clock is set back", () => {
  const { loop, wall, clock } = setUp();
  clock.nowMs();
  wall.ms -= 86_400_000;
  loop.now += 20;
  expect(clock.nowMs()).toBe(start + 20);
  wall.ms += 500;
  loop.now += 500;
  expect(clock.nowMs()).toBe(start + 520);
});

function setUp(): { loop: { now: number }; wall: { ms: number }; clock: Clock } {
  const loop = { now: 0 };
  const wall = { ms: start };
  return { loop, wall, clock: new Clock(loop as LinkLoop, () => wall.ms) };
}
