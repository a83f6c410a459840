import fc from "fast-check";
import { expect, it } from "vitest";
import { Deque } from "./deque.ts";

it("is an array to whoever looks, also beyond the place where it moves its items", () => {
  const operation = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("push" as const), count: fc.integer({ min: 1, max: 900 }) }),
    },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("shift" as const), count: fc.integer({ min: 1, max: 900 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), count: fc.nat(20) }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { minLength: 10, maxLength: 30 }), (operations) => {
      const deque = new Deque<number>();
      const naive: number[] = [];
      let next = 0;
      for (const { kind, count } of operations) {
        if (kind === "remove") {
          if (count < naive.length) {
            deque.remove(count);
            naive.splice(count, 1);
          }
        } else {
          const shifted: (number | undefined)[] = [];
          for (let index = 0; index < count; index += 1) {
            if (kind === "push") {
              deque.push(next);
              naive.push(next);
              next += 1;
            } else {
              shifted.push(deque.shift());
            }
          }
          expect(shifted).toEqual(shifted.map(() => naive.shift()));
        }
        expect(deque.size).toBe(naive.length);
        expect([deque.at(0), deque.at(7), deque.at(naive.length - 1)]).toEqual([naive[0], naive[7], naive.at(-1)]);
      }
    }),
    { numRuns: 50 },
  );
});

it("gives up the room of what has left, and skips nothing when it does", () => {
  const deque = new Deque<number>();
  for (let index = 0; index < 5000; index += 1) {
    deque.push(index);
  }
  for (let index = 0; index < 5000; index += 1) {
    if (deque.at(0) !== index || deque.shift() !== index) {
      expect.fail(`item ${index} is missing`);
    }
    deque.push(5000 + index);
  }
  expect(deque.size).toBe(5000);
});
