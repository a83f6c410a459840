import { describe, test } from "vitest";
import type { TestApi } from "../runner.ts";

/** Registers cases as Vitest tests. */
export const vitestApi: TestApi = {
  suite: (name, define) => {
    describe(name, define);
  },
  test: (name, run, timeoutMs) => {
    test(name, { timeout: timeoutMs }, run);
  },
  skip: (name, reason) => {
    test.skip(`${name} (${reason})`, () => {});
  },
};
