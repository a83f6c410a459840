import { VirtualScheduler } from "@tidewire/transport-mock";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Deadlines } from "./deadlines.ts";

describe("Deadlines", () => {
  it("runs each once, in order, unless it was cancelled", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.boolean()), { maxLength: 100 }), (wanted) => {
        const scheduler = new VirtualScheduler();
        const deadlines = new Deadlines(scheduler);
        const ran: number[] = [];
        const set = wanted.map(([delay]) => deadlines.after(delay, () => ran.push(delay)));
        const kept = wanted.filter(([, cancel], index) => {
          if (cancel) {
            deadlines.cancel(set[index]!);
          }
          return !cancel;
        });
        scheduler.advance(60);
        expect(ran).toEqual(kept.map(([delay]) => delay).sort((a, b) => a - b));
      }),
    );
  });

  it("does not keep what was cancelled: clients that reconnect for ever leave nothing behind", () => {
    const scheduler = new VirtualScheduler();
    const deadlines = new Deadlines(scheduler);
    for (let round = 0; round < 100_000; round += 1) {
      deadlines.cancel(deadlines.after(1e9, () => {}));
    }
    expect(deadlines.size).toBeLessThan(5000);
  });

  it("waits longer than a timer can", () => {
    const scheduler = new VirtualScheduler();
    let ran = false;
    new Deadlines(scheduler).after(40 * 24 * 3_600_000, () => {
      ran = true;
    });
    scheduler.advance(39 * 24 * 3_600_000);
    expect(ran).toBe(false);
    scheduler.advance(24 * 3_600_000);
    expect(ran).toBe(true);
  });
});
