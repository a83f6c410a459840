import { expect, test } from "vitest";
import { BackOff } from "./back-off.ts";

test("the bound doubles up to the maximum and the wait is random below it", () => {
  const highest = new BackOff({ minDelayMs: 100, maxDelayMs: 1_000, random: () => 0.999999 });
  expect(Array.from({ length: 6 }, () => highest.next())).toEqual([99, 199, 399, 799, 999, 999]);
  const half = new BackOff({ minDelayMs: 100, random: () => 0.5 });
  expect([half.next(), half.next(), half.next()]).toEqual([50, 100, 200]);
  expect(new BackOff({ random: () => 0 }).next()).toBe(0);
});

test("never overflows, however long the server is away", () => {
  const backOff = new BackOff({ random: () => 0.5 });
  for (let i = 0; i < 5_000; i += 1) {
    expect(backOff.next()).toBeLessThanOrEqual(15_000);
  }
});

test("starts anew only after a connection that lasted", () => {
  const backOff = new BackOff({ minDelayMs: 100, stableAfterMs: 5_000, random: () => 0.5 });
  backOff.next();
  backOff.next();
  backOff.ended(4_999);
  expect(backOff.next()).toBe(200);
  backOff.ended(5_000);
  expect(backOff.attempts).toBe(0);
  expect(backOff.next()).toBe(50);
});
