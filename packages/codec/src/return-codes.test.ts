import { expect, test } from "vitest";
import { reasonCodeFor, returnCodeFor } from "./return-codes.ts";

test("each return code of MQTT 3.x has a reason code, and that leads back to it", () => {
  expect([0, 1, 2, 3, 4, 5].map(reasonCodeFor)).toEqual([0, 0x84, 0x85, 0x88, 0x86, 0x87]);
  expect([0, 1, 2, 3, 4, 5].map((code) => returnCodeFor(reasonCodeFor(code)))).toEqual([0, 1, 2, 3, 4, 5]);
  expect(reasonCodeFor(6)).toBe(0x80);
});

test("a reason code without a return code of its own has that of the nearest, or none", () => {
  expect([0x89, 0x97, 0x9f, 0x8a, 0x8c].map(returnCodeFor)).toEqual([3, 3, 3, 5, 5]);
  expect([0x80, 0x81, 0x82, 0x95, 0x99].map(returnCodeFor)).toEqual(Array(5).fill(undefined));
});
