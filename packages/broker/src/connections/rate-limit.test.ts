import { expect, test } from "vitest";
import { RateLimit } from "./rate-limit.ts";

test("it has a burst's worth, and no more until time passes", () => {
  const limit = new RateLimit(10, 3);
  expect([1, 2, 3, 4].map(() => limit.take(0))).toEqual([true, true, true, false]);
  expect(limit.take(99)).toBe(false);
  expect(limit.take(100)).toBe(true);
  expect(limit.take(100)).toBe(false);
});

test("what fills up is a burst at most, however long nobody comes", () => {
  const limit = new RateLimit(10, 3);
  limit.take(0);
  expect([1, 2, 3, 4].map(() => limit.take(1_000_000))).toEqual([true, true, true, false]);
});

test("without a burst of its own it has one second's worth", () => {
  const limit = new RateLimit(2);
  expect([1, 2, 3].map(() => limit.take(0))).toEqual([true, true, false]);
});

test("it tells when nothing is left, and when it is as if nobody had come", () => {
  const limit = new RateLimit(10, 2);
  expect([limit.isEmpty(0), limit.isFull(0)]).toEqual([false, true]);
  limit.take(0);
  expect([limit.isEmpty(0), limit.isFull(0)]).toEqual([false, false]);
  limit.take(0);
  expect([limit.isEmpty(0), limit.isFull(0)]).toEqual([true, false]);
  // Looking takes nothing.
  expect([limit.isEmpty(100), limit.isFull(100), limit.isFull(200)]).toEqual([false, false, true]);
});
