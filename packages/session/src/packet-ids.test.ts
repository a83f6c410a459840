import fc from "fast-check";
import { expect, test } from "vitest";
import { PacketIds } from "./packet-ids.ts";

test("never gives out 0 or an identifier in use, and all 65,535 of them", () => {
  const ids = new PacketIds();
  const taken = new Set<number>();
  for (let i = 0; i < 65_535; i++) taken.add(ids.take());
  expect(taken.size).toBe(65_535);
  expect(taken.has(0)).toBe(false);
  expect(ids.available).toBe(0);
  expect(ids.take()).toBe(0);
  ids.release(40_000);
  expect(ids.take()).toBe(40_000);
});

test("lets an identifier rest before it comes again", () => {
  const ids = new PacketIds();
  const first = ids.take();
  ids.release(first);
  const next = Array.from({ length: 30 }, () => {
    const id = ids.take();
    ids.release(id);
    return id;
  });
  expect(next).not.toContain(first);
});

test("agrees with a set, whatever is taken, reserved and released", () => {
  const step = fc.oneof(
    fc.constant("take" as const),
    fc.record({ reserve: fc.integer({ min: 1, max: 65_535 }) }),
    fc.record({ release: fc.nat(200) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const ids = new PacketIds();
      const model = new Set<number>();
      for (const next of steps) {
        if (next === "take") {
          const id = ids.take();
          expect(model.has(id)).toBe(false);
          model.add(id);
        } else if ("reserve" in next) {
          ids.reserve(next.reserve);
          model.add(next.reserve);
        } else {
          const id = [...model][next.release] ?? next.release;
          ids.release(id);
          model.delete(id);
        }
        expect(ids.available).toBe(65_535 - model.size);
      }
      for (const id of model) expect(ids.has(id)).toBe(true);
    }),
  );
});
