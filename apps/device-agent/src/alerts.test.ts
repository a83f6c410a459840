import { describe, expect, it } from "vitest";
import { AlertRules, alertText } from "./alerts.ts";

describe("AlertRules", () => {
  const cpu = (value: number) => new Map([["cpu", value] as const]);

  it("says once when a figure passes its threshold", () => {
    const rules = new AlertRules(new Map([["cpu", 90]]));
    expect(rules.check(cpu(90), 0)).toEqual([]);
    expect(rules.check(cpu(95), 1000)).toEqual([{ name: "cpu", value: 95, threshold: 90 }]);
    expect(rules.check(cpu(99), 2000)).toEqual([]);
  });

  it("says it again after the figure came down and half a minute passed", () => {
    const rules = new AlertRules(new Map([["cpu", 90]]));
    expect(rules.check(cpu(95), 0)).toHaveLength(1);
    expect(rules.check(cpu(85), 20_000)).toHaveLength(0);
    expect(rules.check(cpu(95), 31_000), "85 is not nine tenths of 90").toHaveLength(0);
    expect(rules.check(cpu(80), 40_000)).toHaveLength(0);
    expect(rules.check(cpu(95), 41_000)).toHaveLength(1);
    expect(rules.check(cpu(10), 42_000)).toHaveLength(0);
    expect(rules.check(cpu(95), 43_000), "within half a minute").toHaveLength(0);
    expect(rules.check(cpu(95), 71_000)).toHaveLength(1);
  });

  it("leaves figures without threshold or value alone", () => {
    const rules = new AlertRules(new Map([["memory", 50]]));
    expect(rules.check(cpu(100), 0)).toEqual([]);
  });
});

it("alertText names figure, value and threshold with the unit", () => {
  expect(alertText("cpu", 97.5, 90)).toBe("cpu at 97.5 %, above 90 %");
  expect(alertText("load", 4, 2)).toBe("load at 4, above 2");
});
