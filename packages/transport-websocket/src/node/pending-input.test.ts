import { describe, expect, it } from "vitest";
import { PendingInput } from "./pending-input.ts";

const masked = 6;

describe("PendingInput", () => {
  it("is empty after whole messages, however they were cut", () => {
    const pending = new PendingInput(true, false, 65_536);
    // A message of 10 and half of one of 100, its other half, one of 200 with a longer head, and one of 70,000.
    pending.taken(10);
    pending.arrived(masked + 10 + 50);
    expect(pending.bytes).toBe(50);
    pending.taken(100);
    pending.arrived(masked + 100 - 50);
    expect(pending.bytes).toBe(0);
    pending.taken(200);
    pending.arrived(masked + 2 + 200);
    expect(pending.bytes).toBe(0);
    pending.arrived(60_000);
    pending.taken(70_000);
    pending.arrived(masked + 8 + 10_000);
    expect(pending.bytes).toBe(0);
  });

  it("takes the heads of fragments for pending no longer than a chunk", () => {
    const pending = new PendingInput(true, false, 65_536);
    for (let message = 0; message < 10_000; message += 1) {
      // Ten fragments of ten bytes: nine heads are not known of.
      pending.taken(100);
      expect(pending.arrived(10 * (masked + 10))).toBe(true);
      expect(pending.bytes).toBeLessThanOrEqual(160);
    }
  });

  it("says when more is held than is allowed, and not before", () => {
    const pending = new PendingInput(false, false, 1_000);
    expect([pending.arrived(600), pending.arrived(400), pending.arrived(1)]).toEqual([true, true, false]);
    pending.allow(1_002);
    expect([pending.arrived(1), pending.arrived(1)]).toEqual([true, false]);
  });

  it("counts the pieces in which the bytes come", () => {
    const pending = new PendingInput(true, false, 65_536);
    const held = Array.from({ length: 1_025 }, () => pending.arrived(1));
    expect([held.indexOf(false), held.length]).toEqual([1_024, 1_025]);
  });

  it("holds nothing against messages that were inflated", () => {
    const pending = new PendingInput(true, true, 1_000);
    expect(pending.arrived(900)).toBe(true);
    pending.taken(1_000_000);
    expect(pending.arrived(900)).toBe(true);
    expect(pending.bytes).toBe(0);
  });
});
