import { expect, test } from "vitest";
import { PacketIds } from "./packet-ids.ts";

test("each is given out once until it is freed, and the one that has rested longest comes first", () => {
  const ids = new PacketIds();
  const all = Array.from({ length: 65_535 }, () => ids.take());
  expect(new Set(all).size).toBe(65_535);
  expect([all[0], all.at(-1)]).toEqual([1, 65_535]);
  expect(() => ids.take()).toThrow(expect.objectContaining({ code: "queue-full" }));
  ids.free(7);
  ids.free(5);
  expect([ids.take(), ids.take()]).toEqual([5, 7]);
});
