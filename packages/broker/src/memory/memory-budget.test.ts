import { expect, it } from "vitest";
import { silentLogger } from "../logger.ts";
import { MetricsRecorder } from "../metrics/index.ts";
import { MemoryBudget, MemoryLevel } from "./memory-budget.ts";

function bench(): { budget: MemoryBudget; lines: string[]; metrics: MetricsRecorder } {
  const lines: string[] = [];
  const metrics = new MetricsRecorder();
  const logger = {
    ...silentLogger,
    info: (line: string) => lines.push(line),
    warn: (line: string) => lines.push(line),
  };
  return { budget: new MemoryBudget({ limit: 1_000_000, logger, metrics }), lines, metrics };
}

it("rises with what is held, and falls only when there is air again", () => {
  const { budget } = bench();
  const levels = [0, 749_000, 751_000, 700_000, 901_000, 850_000, 1_000_000, 960_000, 940_000, 640_000, 0].map(
    (bytes) => {
      budget.setConnections(bytes);
      return budget.level;
    },
  );
  expect(levels).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 2, 0, 0]);
});

it("adds up queues, connections, sessions, subscriptions and retained messages", () => {
  const { budget, metrics } = bench();
  budget.countQueued(10, 1000);
  budget.setConnections(500);
  budget.setFixed(1, 2, 3, 7);
  expect(budget.used).toBe(10 * 200 + 1000 + 500 + 4096 + 800 + 1536 + 7);
  expect(metrics.memoryBytes).toBe(budget.used);
  budget.countQueued(-10, -1000);
  budget.setConnections(0);
  budget.setFixed(0, 0, 0, 0);
  expect(budget.used).toBe(0);
});

it("refuses QoS 0 first, then what would make a long queue longer, then everything", () => {
  const { budget } = bench();
  const refused = (bytes: number): boolean[] => {
    budget.setConnections(bytes);
    return [
      budget.refuses(false, 0),
      budget.refuses(true, 100),
      budget.refuses(true, 2000),
      budget.refusesSessions,
    ].map(Boolean);
  };
  expect(refused(0)).toEqual([false, false, false, false]);
  expect(refused(800_000)).toEqual([true, false, false, false]);
  expect(refused(920_000)).toEqual([true, false, true, true]);
  expect(refused(1_000_000)).toEqual([true, true, true, true]);
});

it("says so in one line for each change, and when it is over", () => {
  const { budget, lines } = bench();
  for (let bytes = 0; bytes <= 1_000_000; bytes += 1000) {
    budget.setConnections(bytes);
  }
  budget.setConnections(0);
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain("75 % of the 1 MB for clients in use: QoS 0");
  expect(lines[3]).toContain("as usual");
  expect(budget.level).toBe(MemoryLevel.NORMAL);
});
