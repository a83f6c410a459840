import { expect, it } from "vitest";
import { didYouMean, nearest } from "./nearest.ts";

const ACCESS = ["read", "write", "readwrite", "deny"];

it.each([
  ["dney", "deny"],
  ["DENY", "deny"],
  ["wrte", "write"],
  ["readwrit", "readwrite"],
  ["reed", "read"],
])("takes %j for %j", (text, meant) => {
  expect(nearest(text, ACCESS)).toBe(meant);
  expect(didYouMean(text, ACCESS)).toBe(` (did you mean "${meant}"?)`);
});

it.each(["devices", "", "x", "deny".repeat(100)])("guesses nothing for %.10j", (text) => {
  expect(nearest(text, ACCESS)).toBeUndefined();
  expect(didYouMean(text, ACCESS)).toBe("");
});
