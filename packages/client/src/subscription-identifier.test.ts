import { matches } from "@tidewire/codec";
import fc from "fast-check";
import { expect, test } from "vitest";
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
      expect(subscriptionIdentifier(one)).not.toBe(subscriptionIdentifier(other));
    }),
    { numRuns: 500 },
  );
});

test("exact filters and filters of one shape share theirs, so that they fit in one SUBSCRIBE", () => {
  expect(subscriptionIdentifier("a/b")).toBe(subscriptionIdentifier("c"));
  expect(subscriptionIdentifier("devices/1/#")).toBe(subscriptionIdentifier("devices/2/#"));
  expect(subscriptionIdentifier("$share/g/a")).not.toBe(subscriptionIdentifier("$share/h/a"));
});

test("is within what the wire holds", () => {
  fc.assert(
    fc.property(filter, (any) => {
      const identifier = subscriptionIdentifier(any);
      expect(identifier).toBeGreaterThanOrEqual(1);
      expect(identifier).toBeLessThanOrEqual(268_435_455);
    }),
  );
});
