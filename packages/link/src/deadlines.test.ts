import fc from "fast-check";
import { expect, test } from "vitest";
import { Deadlines, type Sleeper } from "./deadlines.ts";

test("gives out in order of time whatever was moved or removed before", () => {
  const step = fc.record({ sleeper: fc.nat(20), time: fc.nat(1000), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const deadlines = new Deadlines<Sleeper>();
      const sleepers = Array.from({ length: 21 }, () => ({ wakeAt: Number.POSITIVE_INFINITY, heapIndex: -1 }));
      const model = new Map<Sleeper, number>();
      for (const { sleeper: index, time, remove } of steps) {
        const sleeper = sleepers[index] as Sleeper;
        if (remove) {
          deadlines.remove(sleeper);
          model.delete(sleeper);
        } else {
          deadlines.wakeBy(sleeper, time);
          model.set(sleeper, Math.min(time, model.get(sleeper) ?? time));
        }
      }
      const expected = [...model.values()].sort((a, b) => a - b);
      expect(deadlines.next).toBe(expected[0] ?? Number.POSITIVE_INFINITY);
      const times: number[] = [];
      while (deadlines.next < Number.POSITIVE_INFINITY) {
        const time = deadlines.next;
        expect(deadlines.take(time - 1)).toBeUndefined();
        expect(deadlines.take(time)?.heapIndex).toBe(-1);
        times.push(time);
      }
      expect(times).toEqual(expected);
    }),
  );
});
