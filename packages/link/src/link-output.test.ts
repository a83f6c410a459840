import { createPacketWriter } from "@tidewire/codec";
import type { Connection } from "@tidewire/transport";
import { expect, test } from "vitest";
import { defaultLimits } from "./limits.ts";
import { LinkOutput } from "./link-output.ts";

test("a full transport is stalled when nothing leaves it, and gets more time when something does", () => {
  const loop = { limits: { ...defaultLimits, stalledAfterMs: 5000 }, now: 100 };
  const connection = { bufferedAmount: 0, send: (): boolean => false };
  const writer = createPacketWriter({ version: 4 });
  const output = new LinkOutput(writer, connection as unknown as Connection, loop);
  writer.write({ type: 12 });
  output.collect();
  expect(output.collectedBytes).toBe(2);
  connection.bufferedAmount = 1000;
  expect(output.send()).toBe(true);
  expect([output.full, output.stalledAt, output.collectedBytes]).toEqual([true, 5100, 0]);
  // A byte left meanwhile.
  connection.bufferedAmount = 999;
  expect(output.isStalled(5100)).toBe(false);
  expect(output.stalledAt).toBe(10_100);
  expect(output.isStalled(10_100)).toBe(true);
  output.drained();
  expect([output.full, output.stalledAt]).toEqual([false, Number.POSITIVE_INFINITY]);
});

test("what was handed over since does not count as left", () => {
  const loop = { limits: defaultLimits, now: 0 };
  const connection = { bufferedAmount: 0, send: (): boolean => false };
  const writer = createPacketWriter({ version: 4 });
  const output = new LinkOutput(writer, connection as unknown as Connection, loop);
  for (const bufferedAmount of [2, 4]) {
    connection.bufferedAmount = bufferedAmount;
    writer.write({ type: 12 });
    output.collect();
    output.send();
  }
  expect(output.isStalled(60_000)).toBe(true);
});
