// Runs the conformance tests of Tidewire's own parts and reads what each case came to.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));
const TESTS = ["mock", "tcp", "websocket", "client", "parts"].map(
  (name) => `tooling/e2e/test/conformance-${name}.test.ts`,
);

/** By target, then by case id: passed, failed or skipped. */
export function tidewireResults() {
  const directory = mkdtempSync(join(tmpdir(), "conformance-tests-"));
  const file = join(directory, "results.json");
  try {
    const args = ["run", ...TESTS, "--reporter=json", `--outputFile=${file}`];
    spawnSync(join(repository, "node_modules/.bin/vitest"), args, { cwd: repository, stdio: "ignore" });
    return readResults(JSON.parse(readFileSync(file, "utf8")));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function readResults({ testResults }) {
  const targets = new Map();
  for (const { ancestorTitles, title, status } of testResults.flatMap(({ assertionResults }) => assertionResults)) {
    const target = ancestorTitles.at(-1);
    const results = targets.get(target) ?? new Map();
    targets.set(target, results.set(title.slice(0, title.indexOf(": ")), status === "pending" ? "skipped" : status));
  }
  return targets;
}
