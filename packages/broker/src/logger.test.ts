import { expect, it, test } from "vitest";
import { type BrokerLogger, guardedLogger, silentLogger } from "./logger.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

it("passes everything on at its level, with the logger as its own `this`", () => {
  const lines: unknown[][] = [];
  class Lines implements BrokerLogger {
    readonly lines = lines;
    debug(...line: unknown[]): void {
      this.lines.push(["debug", ...line]);
    }
    info(...line: unknown[]): void {
      this.lines.push(["info", ...line]);
    }
    warn(...line: unknown[]): void {
      this.lines.push(["warn", ...line]);
    }
    error(...line: unknown[]): void {
      this.lines.push(["error", ...line]);
    }
  }
  const guarded = guardedLogger(new Lines());
  for (const level of LEVELS) {
    guarded[level](`a ${level}`, 1, { two: 2 });
  }
  expect(lines).toEqual(LEVELS.map((level) => [level, `a ${level}`, 1, { two: 2 }]));
});

it("does not throw when the logger does", () => {
  const broken = (): never => {
    throw new Error("The log is full.");
  };
  const guarded = guardedLogger({ debug: broken, info: broken, warn: broken, error: broken });
  for (const level of LEVELS) {
    expect(() => guarded[level]("text")).not.toThrow();
  }
});

test("the silent one says nothing", () => {
  for (const level of LEVELS) {
    expect(silentLogger[level]("text")).toBeUndefined();
  }
});
