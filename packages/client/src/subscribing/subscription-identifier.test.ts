import { matches } from "@tidewire/codec";
import fc from "fast-check";
import { expect, test } from "vitest";
import { filterShape } from "./filter-index.ts";
import { subscriptionIdentifier } from "./subscription-identifier.ts";

const part = fc.constantFrom("a", "b", "+", "");
const filter = fc
  .tuple(fc.array(part, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, all]) => `${levels.join("/") || "a"}${all ? "/#" : ""}`);
const topic = fc.array(fc.constantFrom("a", "b", ""), { minLength: 1, maxLength: 5 }).map((l) => l.join("/") || "a");

test("two filters with one identifier never match one topic", () => {
  fc.assert(
    fc.property(filter, filter, topic, (one, other, name) => {
      fc.pre(one !== other && matches(one, name) && matches(other, name));
      expect(identifierOf(one)).not.toBe(identifierOf(other));
    }),
    { numRuns: 500 },
  );
});

test("exact filters and filters of one shape share theirs, so that they fit in one SUBSCRIBE", () => {
  expect(identifierOf("a/b")).toBe(identifierOf("c"));
  expect(identifierOf("devices/1/#")).toBe(identifierOf("devices/2/#"));
  expect(identifierOf("$share/g/a")).not.toBe(identifierOf("$share/h/a"));
});

test("is within what the wire holds", () => {
  fc.assert(
    fc.property(filter, (any) => {
      const identifier = identifierOf(any);
      expect(identifier).toBeGreaterThanOrEqual(1);
      expect(identifier).toBeLessThanOrEqual(268_435_455);
    }),
  );
});

function identifierOf(filter: string): number {
  return subscriptionIdentifier(filterShape(filter));
}
