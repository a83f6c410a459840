import { expect, test } from "vitest";
import { BatchSize } from "./batch-size.ts";

/** Connections lost until a server that takes `most` filters a packet has all of them. */
function lostUntilDone(most: number, filters: number, maximum: number): number {
  const batch = new BatchSize(maximum);
  let lost = 0;
  for (let left = filters; left > 0; ) {
    const size = Math.min(left, batch.limit);
    if (size > most) {
      lost += 1;
      batch.ended(size);
    } else {
      left -= size;
      batch.answered(size);
    }
  }
  return lost;
}

test("what a server takes is found with few lost connections, and remembered", () => {
  for (const most of [1, 2, 3, 8, 100, 255]) {
    expect(lostUntilDone(most, 10_000, 256)).toBeLessThanOrEqual(8);
  }
  expect(lostUntilDone(8, 20, 256)).toBeLessThanOrEqual(4);
  expect(lostUntilDone(256, 10_000, 256)).toBe(0);
});

test("after an end by accident, packets grow again as they are answered", () => {
  const batch = new BatchSize(256);
  batch.ended(256);
  expect([batch.limit, batch.careful]).toEqual([128, true]);
  for (let i = 0; i < 10; i += 1) {
    batch.answered(batch.limit);
  }
  expect(batch.limit).toBe(255);
  // Though they were answered before, they may be too many now.
  batch.ended(255);
  expect(batch.limit).toBeLessThan(192);
});

test("when all is answered, what worked is kept to", () => {
  const batch = new BatchSize(256);
  batch.done();
  expect(batch.limit).toBe(256);
  batch.ended(20);
  batch.ended(10);
  batch.answered(5);
  batch.answered(7);
  batch.answered(8);
  batch.done();
  expect([batch.limit, batch.careful]).toEqual([8, false]);
});

test("a culprit says nothing about numbers", () => {
  const batch = new BatchSize(64);
  batch.answered(10);
  for (const size of [64, 32, 16, 8, 4, 2]) {
    batch.ended(size);
  }
  expect(batch.limit).toBe(1);
  batch.ended(1);
  batch.foundCulprit();
  expect(batch.limit).toBe(33);
  for (let i = 0; i < 10; i += 1) {
    batch.answered(batch.limit);
  }
  expect(batch.limit).toBe(64);
});
