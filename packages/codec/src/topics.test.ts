import { expect, test } from "vitest";
import { excludedFilter, hasWildcard, isSharedFilter, sharedPrefixLength } from "./topics.ts";

test("tells wildcards, shared filters and where their topic filter begins", () => {
  expect(["a", "a/+", "#", "+/a", "$share/g/a/#", "$share/g/a", ""].map(hasWildcard)).toEqual([
    false,
    true,
    true,
    true,
    true,
    false,
    false,
  ]);
  expect(["$share/g/a", "$share/", "$shared/g/a", "a/$share/g"].map(isSharedFilter)).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect(["$share/g/a/b", "$share/g//", "$shared/g/a", "a"].map(sharedPrefixLength)).toEqual([9, 9, 0, 0]);
});

test("tells what a server that announced it does not take", () => {
  const none = { wildcardSubscriptionAvailable: false, sharedSubscriptionAvailable: false };
  expect(["a", "a/#", "+", "$share/g/a", "$share/g/#"].map((filter) => excludedFilter(filter, none))).toEqual([
    0, 0xa2, 0xa2, 0x9e, 0x9e,
  ]);
  expect(excludedFilter("$share/g/#", { wildcardSubscriptionAvailable: false })).toBe(0xa2);
  expect(excludedFilter("$share/g/#", { wildcardSubscriptionAvailable: true, sharedSubscriptionAvailable: true })).toBe(
    0,
  );
  expect(excludedFilter("$share/g/#")).toBe(0);
});
