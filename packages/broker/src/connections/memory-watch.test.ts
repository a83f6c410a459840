import { QUOTA_EXCEEDED } from "@tidewire/codec/codes";
import { VirtualScheduler } from "@tidewire/transport-mock";
import { describe, expect, it } from "vitest";
import { MEMORY_CHECK_MS } from "../limits.ts";
import { silentLogger } from "../logger.ts";
import { MemoryBudget, MemoryLevel } from "../memory/index.ts";
import { RETAINED_BYTES, SESSION_BYTES } from "../memory/memory-budget.ts";
import { MetricsRecorder } from "../metrics/index.ts";
import { Deadlines } from "../time/index.ts";
import { type Holder, MemoryWatch } from "./memory-watch.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

describe("MemoryWatch", () => {
  it("adds up what connections hold wherever they hold it, at each interval", () => {
    const { watch, holders, memory, scheduler } = setUp(100 * MIB);
    const one = holder(10 * KIB);
    one.transport.pendingInput = 3 * KIB;
    one.link.pendingBytes = 2 * KIB;
    holders.add(one).add(holder(5 * KIB));
    watch.start();
    scheduler.advance(MEMORY_CHECK_MS - 1);
    expect(memory.used).toBe(0);
    scheduler.advance(1);
    expect(memory.used).toBe(20 * KIB);
    one.link.unreadBytes = 0;
    scheduler.advance(MEMORY_CHECK_MS);
    expect(memory.used).toBe(10 * KIB);
  });

  it("looks no more when all have gone, and again when one comes", () => {
    const { watch, holders, memory, scheduler } = setUp(100 * MIB);
    const one = holder(KIB);
    holders.add(one);
    watch.start();
    watch.start();
    scheduler.advance(MEMORY_CHECK_MS);
    holders.delete(one);
    scheduler.advance(MEMORY_CHECK_MS);
    expect(memory.used).toBe(0);
    expect(scheduler.nextAtMs).toBeUndefined();
    holders.add(one);
    watch.start();
    scheduler.advance(MEMORY_CHECK_MS);
    expect(memory.used).toBe(KIB);
  });

  it("reads no further from those that hold most while memory is short, and goes on when it is not", () => {
    const { watch, holders, memory, metrics, scheduler } = setUp(MIB);
    const heavy = holder(800 * KIB);
    const light = holder(64 * KIB);
    holders.add(heavy).add(light);
    watch.start();
    scheduler.advance(MEMORY_CHECK_MS);
    expect(memory.level).toBe(MemoryLevel.HIGH);
    expect([heavy.said, light.said]).toEqual([["pause"], []]);
    scheduler.advance(MEMORY_CHECK_MS);
    expect(heavy.said).toEqual(["pause"]);
    heavy.link.unreadBytes = KIB;
    scheduler.advance(MEMORY_CHECK_MS);
    expect(memory.level).toBe(MemoryLevel.NORMAL);
    expect([heavy.said, light.said]).toEqual([["pause", "resume"], []]);
    scheduler.advance(MEMORY_CHECK_MS);
    expect(heavy.said).toEqual(["pause", "resume"]);
    expect(metrics.connectionsClosedMemory).toBe(0);
  });

  it("leaves alone what has been closed meanwhile", () => {
    const { watch, holders, scheduler } = setUp(MIB);
    const heavy = holder(800 * KIB);
    holders.add(heavy);
    watch.start();
    scheduler.advance(MEMORY_CHECK_MS);
    holders.delete(heavy);
    watch.closed(heavy);
    scheduler.advance(MEMORY_CHECK_MS);
    expect(heavy.said).toEqual(["pause"]);
  });

  it("closes those that hold most until three quarters are left, and lets the next ones rest", () => {
    const { watch, holders, metrics, scheduler } = setUp(MIB);
    const [a, b, c, d] = [holder(100 * KIB), holder(150 * KIB), holder(600 * KIB), holder(110 * KIB)];
    holders.add(a).add(b).add(c).add(d);
    watch.start();
    // 960 KiB of 1024: back to 768 or less.
    scheduler.advance(MEMORY_CHECK_MS);
    expect(c.said).toEqual([`disconnect ${QUOTA_EXCEEDED}`]);
    expect([b.said, d.said, a.said]).toEqual([["pause"], ["pause"], ["pause"]]);
    expect(metrics.connectionsClosedMemory).toBe(1);
  });

  it("closes as many as it takes, the heaviest first", () => {
    const { watch, holders, metrics, scheduler } = setUp(MIB);
    const all = [100, 90, 140, 130, 120, 110, 80, 70, 95].map((kib) => holder(kib * KIB));
    for (const one of all) {
      holders.add(one);
    }
    watch.start();
    // 935 KiB: 140 and 130 have to go, and 120 may stay.
    scheduler.advance(MEMORY_CHECK_MS);
    expect(all.map(({ said }) => said[0]?.split(" ")[0])).toEqual([
      "pause",
      "pause",
      "disconnect",
      "disconnect",
      "pause",
      "pause",
      "pause",
      "pause",
      "pause",
    ]);
    expect(metrics.connectionsClosedMemory).toBe(2);
  });

  it("goes through many connections in several turns, and looks less often while nothing is wrong", () => {
    const { watch, holders, memory, scheduler, turns } = setUp(1000 * MIB);
    for (let count = 0; count < 20_001; count += 1) {
      holders.add(holder(1));
    }
    watch.start();
    scheduler.advance(MEMORY_CHECK_MS);
    expect(memory.used).toBe(20_001);
    expect(turns.count).toBe(20);
    for (const one of holders) {
      one.link.unreadBytes = 0;
    }
    scheduler.advance(3 * MEMORY_CHECK_MS - 1);
    expect(memory.used).toBe(20_001);
    scheduler.advance(1);
    expect(memory.used).toBe(0);
  });

  it("counts sessions, subscriptions, and retained messages where these are in memory", () => {
    const inMemory = setUp(100 * MIB);
    const durable = setUp(100 * MIB, true);
    for (const { watch, holders, metrics, scheduler } of [inMemory, durable]) {
      metrics.sessions = 1;
      metrics.retained = 1;
      metrics.retainedBytes = 5000;
      holders.add(holder(0));
      watch.start();
      scheduler.advance(MEMORY_CHECK_MS);
    }
    expect(durable.memory.used).toBe(SESSION_BYTES + RETAINED_BYTES);
    expect(inMemory.memory.used - durable.memory.used).toBe(5000);
  });
});

interface FakeHolder extends Holder {
  readonly link: { unreadBytes: number; pendingBytes: number; pause(): void; resume(): void };
  readonly transport: { pendingInput: number };
  readonly said: string[];
}

function holder(unreadBytes: number): FakeHolder {
  const said: string[] = [];
  return {
    said,
    link: { unreadBytes, pendingBytes: 0, pause: () => said.push("pause"), resume: () => said.push("resume") },
    transport: { pendingInput: 0 },
    disconnect: (reasonCode) => said.push(`disconnect ${reasonCode}`),
  };
}

function setUp(
  limit: number,
  durable = false,
): {
  watch: MemoryWatch;
  holders: Set<FakeHolder>;
  memory: MemoryBudget;
  metrics: MetricsRecorder;
  scheduler: VirtualScheduler;
  turns: { count: number };
} {
  const scheduler = new VirtualScheduler();
  const metrics = new MetricsRecorder();
  const memory = new MemoryBudget({ limit, logger: silentLogger, metrics });
  const holders = new Set<FakeHolder>();
  const turns = { count: 0 };
  const later = (callback: () => void): void => {
    turns.count += 1;
    scheduler.setTimer(callback, 0);
  };
  const router = { subscriptionCount: 0 };
  const storage = { durable: { durable } };
  const needs = { deadlines: new Deadlines(scheduler), memory, metrics, scheduler: { later }, router, storage };
  return { watch: new MemoryWatch(needs, () => holders), holders, memory, metrics, scheduler, turns };
}
