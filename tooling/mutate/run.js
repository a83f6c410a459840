// `pnpm mutate PACKAGE [--sample N] [--seed N] [--minutes N] [--only TEXT] [--json FILE]`: changes the package's source in
// many small ways, one at a time, and tells which changes its own tests do not notice. Works on a copy of the tree.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { copyTree } from "./copy.js";
import { instrument } from "./mutants.js";
import { report } from "./report.js";
import { sampleOf } from "./sample.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** Suites of tests for others, which are there to fail. */
const SUITES = ["inflight-contract.ts"];

/** Milliseconds without a word after which a worker hangs in a mutant that counts nothing. */
const SILENCE_MS = 120_000;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string", default: "15" },
    only: { type: "string", default: "" },
    "slow-test-ms": { type: "string", default: "2000" },
    json: { type: "string" },
  },
});
const [name] = positionals;
if (name === undefined || !existsSync(join(root, "packages", name, "src"))) {
  console.log("Usage: pnpm mutate PACKAGE, one of packages/");
  process.exit(1);
}

const copy = copyTree(root);
let worker;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    endWorker();
    copy.remove();
    process.exit(1);
  });
}
try {
  await main();
} finally {
  copy.remove();
}

async function main() {
  const mutants = changeSource();
  const chosen = sampleOf(mutants.length, Number(values.sample), Number(values.seed));
  const journal = join(copy.path, "journal.jsonl");
  writeFileSync(journal, "");
  const settings = {
    journal,
    chosen,
    slowTestMs: Number(values["slow-test-ms"]),
    patienceMs: 5_000,
    endsAt: Date.now() + Number(values.minutes) * 60_000,
  };
  const settingsFile = join(copy.path, "mutate.json");
  writeFileSync(settingsFile, JSON.stringify(settings));
  console.log(`${name}: ${mutants.length} mutants, ${chosen.length} tried (seed ${values.seed})`);

  // A pass ends with files to take up again where a mutant spoilt the process or hung in it.
  for (let files = testFiles(); files.length > 0 && Date.now() < settings.endsAt; ) {
    const begun = entriesOf(journal).length;
    const ended = await runWorker(files, settingsFile, journal);
    blameWhoHangs(journal);
    const entries = entriesOf(journal).slice(begun);
    const named = (kind) => new Set(entries.filter((entry) => entry.kind === kind).map(({ file }) => file));
    const [done, spoilt] = [named("done"), named("spoilt")];
    files = files
      .map((file) => join(copy.path, file))
      .filter((file) => (ended ? spoilt.has(file) : !done.has(file)))
      .map((file) => relative(copy.path, file));
    if (entries.length === 0) {
      break;
    }
  }
  const results = report({ name, mutants, chosen, entries: entriesOf(journal), seed: values.seed });
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(results, null, 1)}\n`);
  }
}

/** Writes every change into the copy's source, each behind its switch. */
function changeSource() {
  const source = join(copy.path, "packages", name, "src");
  const mutants = [];
  for (const file of readdirSync(source, { recursive: true }).sort()) {
    const path = join(source, file);
    if (!file.endsWith(".ts") || file.endsWith(".test.ts") || SUITES.includes(file) || !path.includes(values.only)) {
      continue;
    }
    const { code, mutants: found } = instrument(readFileSync(path, "utf8"), file, mutants.length);
    writeFileSync(path, code);
    mutants.push(...found.map((mutant) => ({ ...mutant, file: `packages/${name}/src/${file}` })));
  }
  return mutants;
}

/** Units before scenarios: what is quick comes first. */
function testFiles() {
  return ["src", "test"].flatMap((folder) => {
    const cwd = join(copy.path, "packages", name, folder);
    const found = existsSync(cwd) ? readdirSync(cwd, { recursive: true }) : [];
    return found
      .filter((file) => file.endsWith(".test.ts") && !file.endsWith(".slow.test.ts"))
      .sort()
      .map((file) => join("packages", name, folder, file));
  });
}

/** One pass over test files; false when it hung and was ended. */
function runWorker(files, settingsFile, journal) {
  return new Promise((resolve) => {
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    worker = spawn(process.execPath, [vitest, "run", "--config", "tooling/mutate/vitest.config.js", ...files], {
      cwd: copy.path,
      // A group of its own, so that nothing of it is left when it is ended.
      detached: true,
      stdio: ["ignore", "ignore", process.env.TIDEWIRE_MUTATE_LOUD === undefined ? "ignore" : "inherit"],
      env: { ...process.env, TIDEWIRE_MUTATE: settingsFile },
    });
    let size = -1;
    let heardAt = Date.now();
    let hung = false;
    const watch = setInterval(() => {
      const now = readFileSync(journal).length;
      if (now !== size) {
        size = now;
        heardAt = Date.now();
      } else if (Date.now() - heardAt > SILENCE_MS) {
        hung = true;
        endWorker();
      }
    }, 1_000);
    worker.on("exit", () => {
      clearInterval(watch);
      endWorker();
      worker = undefined;
      resolve(!hung);
    });
  });
}

function endWorker() {
  try {
    process.kill(-worker.pid, "SIGKILL");
  } catch {}
}

/** A mutant that was begun and never judged took the process with it. */
function blameWhoHangs(journal) {
  const last = entriesOf(journal).at(-1);
  if (last?.kind === "begins") {
    appendFileSync(journal, `${JSON.stringify({ ...last, kind: "killed", how: "the process did not come back" })}\n`);
  }
}

function entriesOf(journal) {
  return readFileSync(journal, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
