import { expect, it } from "vitest";
import { DistinctCount } from "./distinct-count.ts";

it("counts names once each, and says when it has stopped", () => {
  const count = new DistinctCount(1000);
  expect([count.size, String(count)]).toEqual([0, "0"]);
  for (let round = 0; round < 3; round += 1) {
    for (let index = 0; index < 1000; index += 1) {
      count.add(`metric-${index}`);
    }
  }
  expect([count.size, String(count)]).toEqual([1000, "1,000"]);
  count.add("one more");
  expect([count.size, String(count)]).toEqual([1000, "more than 1,000"]);
  count.delete("metric-7");
  expect(count.size).toBe(999);
});
