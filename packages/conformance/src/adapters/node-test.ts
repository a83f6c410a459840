import { describe, test } from "node:test";
import type { TestApi } from "../runner.ts";

/** Registers cases with Node's own test runner. */
export const nodeTestApi: TestApi = {
  suite: (name, define) => {
    void describe(name, define);
  },
  test: (name, run, timeoutMs) => {
    void test(name, { timeout: timeoutMs }, run);
  },
  skip: (name, reason) => {
    void test(name, { skip: reason });
  },
};
