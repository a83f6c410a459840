import { expect, test } from "vitest";
import { FailureLog } from "./failure-log.ts";
import type { StoreFailure } from "./store.ts";

/* "Refusing everything for lack of disk without a word", and 209 kB of stack traces in eight seconds. */

test("a store that fails is logged once, and once when it works again", () => {
  const { log, lines } = logged();
  log.note(undefined);
  expect(lines).toEqual([]);
  for (let count = 0; count < 1000; count += 1) {
    log.note(failure("store-full", "12 MiB free"));
    log.commitFailed(failure("store-full", "12 MiB free"));
  }
  expect(lines).toEqual(["error messages that have to be kept are refused until the store works again: 12 MiB free"]);
  log.note(undefined);
  log.note(undefined);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/^warn the store works again.*: 1000$/);
  log.note(failure("store-full", "10 MiB free"));
  expect(lines).toHaveLength(3);
});

test("a failure of another kind is a line of its own", () => {
  const { log, lines } = logged();
  log.note(failure("store-full", "full"));
  log.note(failure("store-failed", "the disk is gone"));
  log.note(undefined);
  expect(lines.map((line) => line.split(" ")[0])).toEqual(["error", "error", "warn"]);
});

test("a store that rejects commits and has no failure of its own is logged, too", () => {
  const { log, lines } = logged();
  log.commitFailed(new Error("no"));
  log.commitFailed(undefined);
  log.note(undefined);
  expect(lines).toHaveLength(2);
});

function failure(code: StoreFailure["code"], message: string): StoreFailure {
  return Object.assign(new Error(message), { code });
}

function logged(): { log: FailureLog; lines: string[] } {
  const lines: string[] = [];
  const line =
    (level: string) =>
    (message: string, ...details: unknown[]) => {
      lines.push([level, message, ...details].join(" "));
    };
  const logger = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  return { log: new FailureLog(logger), lines };
}
