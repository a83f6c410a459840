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

  it("leaves no timer behind when all are cancelled or cleared away", () => {
    const scheduler = new VirtualScheduler();
    const deadlines = new Deadlines(scheduler);
    deadlines.cancel(deadlines.after(10, () => {}));
    expect(scheduler.nextAtMs).toBeUndefined();
    for (const delay of [30, 10, 20]) {
      deadlines.after(delay, () => expect.unreachable());
    }
    deadlines.clear();
    expect(scheduler.nextAtMs).toBeUndefined();
    scheduler.advance(60);
  });
});
