import { beforeEach, expect, it } from "vitest";
import { CountedLog } from "./counted-log.ts";
import { loggerTo } from "./logging.ts";

let lines: { msg: string; level: number; leftOut?: number }[];
let windows: (() => void)[];
let log: CountedLog;

beforeEach(() => {
  [lines, windows] = [[], []];
  const logger = loggerTo({ write: (line) => lines.push(JSON.parse(line)) }, "debug");
  log = new CountedLog({ logger, lines: 2, windowMs: 60_000, later: (callback) => windows.push(callback) });
});

const INFO = 30;
const atInfo = (): string[] => lines.filter(({ level }) => level === INFO).map(({ msg }) => msg);

it("logs some of a kind, counts the others, and says how many there were", () => {
  for (let index = 0; index < 20; index += 1) {
    log.log("probe", { remoteAddress: `192.0.2.${index}` }, "refused a connection: gone");
  }
  expect(atInfo()).toEqual(["refused a connection: gone", "refused a connection: gone"]);
  // At debug there is a line for each, with its address.
  expect(lines).toHaveLength(20);
  windows.shift()?.();
  expect(atInfo().at(-1)).toBe("18 more within 60 s: refused a connection: gone");
  expect(lines.at(-1)).toMatchObject({ kind: "probe", leftOut: 18 });

  log.log("probe", {}, "refused a connection: gone");
  windows.shift()?.();
  expect(atInfo().at(-1)).toMatch(/^1 more within 60 s/);
  // Nothing came: the next one is news again.
  windows.shift()?.();
  log.log("probe", {}, "news");
  expect(atInfo().at(-1)).toBe("news");
});

it("keeps kinds apart, and no more of them than it can hold", () => {
  log.log("a", {}, "a");
  log.log("b", {}, "b");
  expect(atInfo()).toEqual(["a", "b"]);
  for (let index = 0; index < 1000; index += 1) {
    log.log(`kind ${index}`, {}, `message ${index}`);
  }
  expect(windows.length).toBeLessThanOrEqual(101);
});
