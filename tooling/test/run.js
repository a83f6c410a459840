// `pnpm test`: peers, build, every test on the source, then the scenario tests once more on the built packages.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { turbo } from "../build/turbo.js";
import { ensurePeers } from "../peers/ensure.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const artifacts = join(root, "test-artifacts");

process.exitCode = main(process.argv.slice(2));

function main(filters) {
  mkdirSync(artifacts, { recursive: true });
  const started = Date.now();
  const totals = { passed: 0, failed: 0, skipped: 0 };
  /** Told once more at the end, where those who see only the last lines find them. */
  const failures = [];
  const require = (label, ok) => {
    if (ok) {
      return true;
    }
    failures.push(`${label}: failed`);
    totals.failed += 1;
    return false;
  };

  require("peers", ensurePeers());
  if (require("build", turbo("build"))) {
    add(totals, vitest("source", {}, filters, failures));
    add(totals, vitest("built packages", { TIDEWIRE_TEST_BUILT: "1" }, filters, failures));
  }

  writeFileSync(join(artifacts, "totals.json"), `${JSON.stringify(totals)}\n`);
  for (const failure of failures) {
    console.log(failure);
  }
  console.log(`tests took ${Math.round((Date.now() - started) / 1000)} s`);
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return totals.failed === 0 ? 0 : 1;
}

/** Runs vitest and reads its own totals; a run that gives none (a crash, no test found) counts as one failure. */
function vitest(label, env, filters, failures) {
  console.log(`\n== tests on the ${label} ==`);
  const report = join(artifacts, "vitest.json");
  rmSync(report, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const ok = run("vitest", ["run", ...reporters, ...filters], env);
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
      readFileSync(report, "utf8"),
    );
    const failed = numFailedTests === 0 && !ok ? 1 : numFailedTests;
    if (failed > 0) {
      failures.push(`tests on the ${label}: failed`, ...testResults.flatMap(failuresOf));
    }
    return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
  } catch {
    failures.push(`tests on the ${label}: no report`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/** Of one file of tests: its own failure, and that of each test, with where it happened. */
function failuresOf({ name, status, message, assertionResults }) {
  const file = relative(root, name);
  const failed = assertionResults.filter((test) => test.status === "failed");
  if (failed.length === 0) {
    return status === "failed" ? [`- ${file}\n${message}`] : [];
  }
  return failed.map(({ fullName, failureMessages }) => `- ${file}: ${fullName}\n${failureMessages.join("\n")}`);
}

function run(program, args, env = {}) {
  const options = { cwd: root, stdio: "inherit", env: { ...process.env, ...env } };
  return spawnSync(join(root, "node_modules/.bin", program), args, options).status === 0;
}

function add(totals, more) {
  totals.passed += more.passed;
  totals.failed += more.failed;
  totals.skipped += more.skipped;
}
