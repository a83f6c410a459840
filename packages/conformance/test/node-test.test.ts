import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const built = process.env.TIDEWIRE_TEST_BUILT === "1";

// Node's runner loads the package itself, so this needs the built one.
test.runIf(built)("cases run as tests of node:test", () => {
  const fixture = fileURLToPath(new URL("./fixtures/node-test.mjs", import.meta.url));
  const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ["--test-reporter=tap", fixture], { encoding: "utf8", env });
  expect(status).toBe(1);
  expect(stdout).toMatch(/ok \d - passes: passes \[MQTT-1\.0\.0-1\]/);
  expect(stdout).toMatch(/not ok \d - fails: fails/);
  expect(stdout).toMatch(/ok \d - skips: skips # SKIP needs nothing/);
  expect(stdout).toContain("broken on purpose");
});
