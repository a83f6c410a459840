import { mockNetwork } from "@tidewire/transport-mock";
import { describe, expect, it } from "vitest";
import { DEFAULT_LIMITS, RETAINED_SWEEP_MS, TURN_STEPS } from "../limits.ts";
import { IncomingPublication } from "../messages/index.ts";
import { MetricsRecorder } from "../metrics/index.ts";
import { memoryStore } from "../storage/index.ts";
import { Deadlines } from "../time/index.ts";
import { Work } from "../work/index.ts";
import { RetainedMessages } from "./retained-messages.ts";

function setUp() {
  const { scheduler } = mockNetwork();
  let turns = 0;
  const withLater = {
    now: () => scheduler.now(),
    defer: (callback: () => void) => scheduler.defer(callback),
    setTimer: (callback: () => void, delayMs: number) => scheduler.setTimer(callback, delayMs),
    clearTimer: (handle: unknown) => scheduler.clearTimer(handle),
    later: (callback: () => void) => {
      turns += 1;
      scheduler.setTimer(callback, 0);
    },
  };
  const metrics = new MetricsRecorder();
  const store = memoryStore();
  const retained = new RetainedMessages({
    clock: { nowMs: () => scheduler.now() },
    deadlines: new Deadlines(withLater),
    limits: DEFAULT_LIMITS,
    metrics,
    storage: { durable: store, volatile: store },
    work: new Work({
      scheduler: withLater,
      onFailure: (error) => {
        throw error;
      },
    }),
  });
  const set = (topic: string, expirySeconds?: number): void => {
    const properties = expirySeconds === undefined ? undefined : { messageExpiryInterval: expirySeconds };
    retained.set(new IncomingPublication(topic, new Uint8Array(1), 0, true, properties, undefined, scheduler.now()));
  };
  return { metrics, retained, scheduler, set, turns: () => turns };
}

describe("the sweep of retained messages", () => {
  it("comes again as long as there is one that will expire, and then no more", () => {
    const { metrics, scheduler, set, turns } = setUp();
    set("for ever");
    set("soon", 30);
    set("late", (RETAINED_SWEEP_MS / 1000) * 3.5);
    const counts: number[] = [];
    for (let sweep = 1; sweep <= 6; sweep += 1) {
      scheduler.advance(RETAINED_SWEEP_MS);
      counts.push(metrics.retained);
    }
    expect(counts).toEqual([2, 2, 2, 1, 1, 1]);
    const before = turns();
    scheduler.advance(10 * RETAINED_SWEEP_MS);
    expect(turns()).toBe(before);
    // And anew for one that comes then.
    set("another", 1);
    scheduler.advance(RETAINED_SWEEP_MS);
    expect(metrics.retained).toBe(1);
  });

  // field-failures.md: work bounded by what was sent, not by what was looked at.
  it("looks at many a little at a time", () => {
    const { metrics, scheduler, set, turns } = setUp();
    const count = 10 * TURN_STEPS;
    for (let index = 0; index < count; index += 1) {
      set(`t/${index}`, index === 7 ? 1 : 1000);
    }
    scheduler.advance(RETAINED_SWEEP_MS);
    expect(metrics.retained).toBe(count - 1);
    expect(turns()).toBeGreaterThanOrEqual(10);
  });
});
