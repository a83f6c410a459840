import { beforeEach, expect, it } from "vitest";
import { FAULTS_PER_MINUTE, type FatalFault, FaultPolicy } from "./faults.ts";
import { loggerTo } from "./logging.ts";

let lines: Record<string, unknown>[];
let fatal: FatalFault[];
let nowMs: number;
let policy: FaultPolicy;

beforeEach(() => {
  [lines, fatal, nowMs] = [[], [], 0];
  policy = new FaultPolicy({
    logger: loggerTo({ write: (line) => lines.push(JSON.parse(line)) }, "info"),
    now: () => nowMs,
    onFatal: (fault) => fatal.push(fault),
  });
});

function slip(message: string): Error {
  return new TypeError(message);
}

it("logs each kind with its stack once, then how often it came", () => {
  for (let index = 0; index < 5; index += 1) {
    nowMs = index * 6000;
    policy.handle(slip(`number ${index}`), "uncaughtException");
  }
  policy.handle(new RangeError("other"), "unhandledRejection");
  expect(lines.map(({ msg, count }) => [msg, count])).toEqual([
    ["an error that nobody caught: number 0; serving on, please report it", undefined],
    ["again an error that nobody caught: number 2", 3],
    ["again an error that nobody caught: number 4", 5],
    ["an error that nobody caught: other; serving on, please report it", undefined],
  ]);
  expect(JSON.stringify(lines[0]?.err)).toContain("faults.test.ts");
  expect(lines[3]).toMatchObject({ origin: "unhandledRejection", err: { type: "RangeError" } });
  expect(fatal).toEqual([]);
});

it("ends when there are too many within a minute, and not when they are spread", () => {
  for (let index = 0; index < 100; index += 1) {
    nowMs += 60_000 / FAULTS_PER_MINUTE;
    policy.handle(slip("spread"), "uncaughtException");
  }
  expect(fatal).toEqual([]);
  for (let index = 0; index < 20; index += 1) {
    policy.handle(slip("loop"), "uncaughtException");
  }
  expect(fatal).toEqual([expect.objectContaining({ name: "FatalFault", exitCode: 70 })]);
  expect(fatal[0]?.message).toMatch(/^more than 10 errors that nobody caught within a minute; see the log/);
});

it("ends at the first error of the store", () => {
  policy.handle(Object.assign(new Error("cannot write"), { code: "store-failed" }), "unhandledRejection");
  expect(fatal[0]?.message).toMatch(/^an error of the store that nobody caught: what was promised may not be kept;/);
  expect(lines.at(-1)?.msg).toMatch(/^ending in order with exit code 70: an error of the store/);
});

it.each([undefined, null, "text", 7, Symbol("s"), { code: "x" }])("puts up with %s thrown", (thrown) => {
  policy.handle(thrown, "uncaughtException");
  expect(lines).toHaveLength(1);
});
