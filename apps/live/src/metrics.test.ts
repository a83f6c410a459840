import { expect, it } from "vitest";
import { compareMetrics, formatValue, metricStyle } from "./metrics.ts";

it("shows known metrics first, in their order, then the others by name", () => {
  const names = ["temperature", "network-out", "cpu", "fan", "load", "memory"];
  expect(names.sort(compareMetrics)).toEqual(["cpu", "memory", "load", "network-out", "fan", "temperature"]);
});

it("shows an unknown metric under its own name", () => {
  expect(metricStyle("temperature")).toMatchObject({ label: "temperature", unit: "" });
  expect(metricStyle("constructor")).toMatchObject({ label: "constructor" });
});

it.each([
  [0, "0.00"],
  [7.126, "7.13"],
  [42.26, "42.3"],
  [1234.5, "1,235"],
  [-12.34, "-12.3"],
])("formats %d as %s", (value, text) => {
  expect(formatValue(value)).toBe(text);
});
