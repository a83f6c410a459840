import fc from "fast-check";
import { expect, test } from "vitest";
import { Feed } from "./feed.ts";

test("values come in their order, however pushing and taking mix", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (pushes) => {
      const feed = new Feed<number>();
      const expected: number[] = [];
      let count = 0;
      for (const push of pushes) {
        if (push) {
          feed.push(count);
          expected.push(count);
          count += 1;
        } else {
          expect(feed.shift()).toBe(expected.shift());
        }
        expect(feed.size).toBe(expected.length);
      }
    }),
    { seed: 20_261 },
  );
});

test("readers that wait get what comes, in their order; the end comes after what is kept", async () => {
  const feed = new Feed<string>();
  const [first, second] = [feed.next(), feed.next()];
  expect(feed.awaited).toBe(true);
  feed.push("a");
  feed.push("b");
  feed.push("c");
  expect(feed.awaited).toBe(false);
  feed.end();
  expect([await first, await second, await feed.next(), await feed.next()]).toEqual([
    { done: false, value: "a" },
    { done: false, value: "b" },
    { done: false, value: "c" },
    { done: true, value: undefined },
  ]);
});

test("the end ends every reader that waits", async () => {
  const feed = new Feed<string>();
  const readers = [feed.next(), feed.next()];
  feed.end();
  expect(await Promise.all(readers)).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
});

test("an end with an error is told once, to the reader that waits or to the next", async () => {
  const error = new Error("refused");
  const waiting = new Feed<string>();
  const reader = waiting.next();
  waiting.end(error);
  await expect(reader).rejects.toBe(error);
  expect(await waiting.next()).toEqual({ done: true, value: undefined });
  const kept = new Feed<string>();
  kept.push("a");
  kept.end(error);
  kept.end();
  expect(await kept.next()).toEqual({ done: false, value: "a" });
  await expect(kept.next()).rejects.toBe(error);
  expect(await kept.next()).toEqual({ done: true, value: undefined });
});
