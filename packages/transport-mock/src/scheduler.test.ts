import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualScheduler } from "./scheduler.ts";

describe("VirtualScheduler", () => {
  it("runs timers in the order of their times, equal ones in the order in which they were set", () => {
    const operation = fc.record({ delayMs: fc.nat(20), clear: fc.boolean() });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const scheduler = new VirtualScheduler();
        const seen: number[] = [];
        const handles = operations.map(({ delayMs }, i) => scheduler.setTimer(() => seen.push(i), delayMs));
        operations.forEach(({ clear }, i) => {
          if (clear) {
            scheduler.clearTimer(handles[i]);
          }
        });
        scheduler.advance(20);
        const expected = operations
          .map((operation, i) => ({ ...operation, i }))
          .filter(({ clear }) => !clear)
          .sort((a, b) => a.delayMs - b.delayMs || a.i - b.i)
          .map(({ i }) => i);
        expect(seen).toEqual(expected);
      }),
    );
  });

  it("shows a timer its own time, and ends at the time that was asked for", () => {
    const scheduler = new VirtualScheduler(100);
    const seen: number[] = [];
    for (const delayMs of [30, 10]) {
      scheduler.setTimer(() => seen.push(scheduler.now()), delayMs);
    }
    scheduler.advance(25);
    expect([seen, scheduler.now()]).toEqual([[110], 125]);
    scheduler.advance(5);
    expect([seen, scheduler.now()]).toEqual([[110, 130], 130]);
  });

  it("runs what is deferred after the callback that deferred it, before the next one", () => {
    const scheduler = new VirtualScheduler();
    const seen: string[] = [];
    scheduler.setTimer(() => {
      scheduler.defer(() => {
        seen.push("deferred");
        scheduler.defer(() => seen.push("deferred again"));
      });
      seen.push("first");
    }, 5);
    scheduler.setTimer(() => seen.push("second"), 5);
    scheduler.advance(5);
    expect(seen).toEqual(["first", "deferred", "deferred again", "second"]);
  });

  it("runs for the network only as long as something is in flight, with the timers on the way", () => {
    const scheduler = new VirtualScheduler();
    const seen: string[] = [];
    scheduler.setTimer(() => seen.push("soon"), 5);
    scheduler.setTimer(() => seen.push("late"), 50);
    scheduler.setNetworkEvent(() => seen.push("arrival"), 10);
    scheduler.run();
    expect([seen, scheduler.now()]).toEqual([["soon", "arrival"], 10]);
  });

  it("does not mind a timer cleared twice, or after it ran, or by itself", () => {
    const scheduler = new VirtualScheduler();
    let ran = 0;
    const handle = scheduler.setTimer(() => {
      ran += 1;
      scheduler.clearTimer(handle);
    }, 1);
    scheduler.advance(2);
    scheduler.clearTimer(handle);
    scheduler.clearTimer(undefined);
    expect(ran).toBe(1);
  });

  it("ends a run in which two answer each other for ever", () => {
    const scheduler = new VirtualScheduler();
    const again = (): void => {
      scheduler.setNetworkEvent(again, 0);
    };
    again();
    expect(() => scheduler.run()).toThrow(expect.objectContaining({ code: "not-quiet" }));
  });
});
