// Loaded by vitest before each test file. The tests run once as they are; then, in the same warm process, for each mutant
// those tests that come by it, quickest first, until one fails.
import { appendFileSync, readFileSync } from "node:fs";
import process from "node:process";
import { afterAll, afterEach, beforeEach, TestRunner } from "vitest";
import { Switch } from "./switch.js";

const { TIDEWIRE_MUTATE: settingsFile } = process.env;
const settings = JSON.parse(readFileSync(settingsFile, "utf8"));

const mutants = new Switch();
globalThis.__mutants = mutants;
mutants.watch();

/** @type {{ task: object, context: object, seen: Set<number>, asked: number, ms: number }[]} */
const tests = [];
let started = 0;
let imported = false;
let anyTask;

beforeEach(() => {
  if (!imported) {
    imported = true;
    note({ kind: "at import", ids: chosen(mutants.watched().seen) });
  }
  mutants.watch();
  started = performance.now();
});

afterEach((context) => {
  const { task } = context;
  anyTask = task;
  const ms = performance.now() - started;
  const { seen, asked } = mutants.watched();
  mutants.watch();
  if ((task.result?.errors?.length ?? 0) > 0) {
    note({ kind: "broken", test: task.name });
  } else if (ms > settings.slowTestMs) {
    note({ kind: "slow", test: task.name, covered: chosen(seen) });
  } else {
    tests.push({ task, context, seen, asked, ms });
  }
});

afterAll(async () => {
  const file = anyTask?.file.filepath;
  if (file === undefined) {
    return;
  }
  tests.sort((a, b) => a.ms - b.ms);
  const done = alreadyDone();
  const reached = new Set(tests.flatMap(({ seen }) => chosen(seen)));
  note({ kind: "reached", file, ids: [...reached] });
  for (const id of reached) {
    if (Date.now() > settings.endsAt) {
      note({ kind: "out of time" });
      return;
    }
    if (!done.killed.has(id) && !done.tried.has(`${id} ${file}`)) {
      note({ kind: "begins", id, file });
      if ((await tryMutant(id, file)) === "spoilt") {
        note({ kind: "spoilt", file });
        return;
      }
    }
  }
  note({ kind: "done", file });
}, 2_000_000_000);

/** Runs the tests that come by this mutant until one fails. */
async function tryMutant(id, file) {
  for (const test of tests) {
    if (!test.seen.has(id) || !(await isRepeatable(test))) {
      continue;
    }
    mutants.turnOn(id, test.asked);
    const failure = await outcome(test);
    const circles = mutants.ranInCircles;
    mutants.watch();
    if (failure === undefined && !circles) {
      continue;
    }
    note({ kind: "killed", id, file, by: test.task.name, how: circles ? "runs in circles" : String(failure) });
    // Without the mutant it has to pass again: else what is left over would kill the next one, too.
    return (await outcome(test)) === undefined ? "killed" : "spoilt";
  }
  note({ kind: "survived here", id, file });
  return "survived";
}

/** A test that fails when it is run a second time, with nothing changed, says nothing about a mutant. */
async function isRepeatable(test) {
  if (test.repeatable === undefined) {
    const failure = await outcome(test);
    test.repeatable = failure === undefined;
    if (failure !== undefined) {
      note({ kind: "not repeatable", test: test.task.name, why: String(failure) });
    }
  }
  return test.repeatable;
}

/** Why the test fails, or undefined. */
async function outcome(test) {
  const { task, context } = test;
  const cleanups = [];
  let timer;
  try {
    const run = async () => {
      for (const hook of hooks(task, "beforeEach")) {
        const cleanup = await hook(context, task.suite);
        if (typeof cleanup === "function") {
          cleanups.unshift(cleanup);
        }
      }
      await TestRunner.getTestFn(task)();
    };
    const limit = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error("did not end")), test.ms * 20 + settings.patienceMs);
    });
    await Promise.race([run(), limit]);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    clearTimeout(timer);
    for (const hook of [...hooks(task, "afterEach").reverse(), ...cleanups]) {
      try {
        await hook(context, task.suite);
      } catch {}
    }
  }
}

/** The hooks of a test's suites, outermost first, without those above. */
function hooks(task, name) {
  const own = [];
  for (
    let suite = task.suite ?? task.file;
    suite !== undefined;
    suite = suite.suite ?? (suite === task.file ? undefined : task.file)
  ) {
    const found = TestRunner.getSuiteHooks(suite)[name];
    own.unshift(...(suite === task.file ? found.filter((_hook, index) => index > 0) : found));
  }
  return own;
}

function chosen(seen) {
  return [...seen].filter((id) => settings.chosen.includes(id));
}

function alreadyDone() {
  const killed = new Set();
  const tried = new Set();
  for (const line of readFileSync(settings.journal, "utf8").split("\n").filter(Boolean)) {
    const entry = JSON.parse(line);
    if (entry.kind === "killed") {
      killed.add(entry.id);
    } else if (entry.kind === "survived here" || entry.kind === "begins") {
      tried.add(`${entry.id} ${entry.file}`);
    }
  }
  return { killed, tried };
}

function note(entry) {
  appendFileSync(settings.journal, `${JSON.stringify(entry)}\n`);
}
