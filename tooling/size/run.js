// `pnpm size [text] [--json]`: bundles what bundles.js lists (or only rows with `text` in their name) and prints sizes.
// Fails when one is above its budget or carries what it must not.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { bundles } from "./bundles.js";

/** What a bundler for browsers puts in for Node's modules; only peers need any. They bring them along themselves. */
const nodeModulesForBrowsers = {
  name: "node-modules-for-browsers",
  setup(build) {
    build.onResolve({ filter: /^(node:)?(buffer|events|process|stream|string_decoder)\/?$/ }, ({ path }) => {
      const name = path.replace(/^node:|\/$/g, "");
      let from = createRequire(import.meta.url);
      for (const step of ["mqtt-packet", "bl", "readable-stream"]) {
        from = createRequire(from.resolve(step));
      }
      return { path: name === "stream" ? from.resolve("readable-stream") : from.resolve(`${name}/`) };
    });
  },
};

const here = fileURLToPath(new URL("./", import.meta.url));
const words = process.argv.slice(2).filter((word) => !word.startsWith("-"));
const chosen = bundles.filter(({ name }) => words.every((word) => name.includes(word)));

buildPackages(new Set(chosen.flatMap(({ builds = [] }) => builds)));
const rows = [];
for (const bundle of chosen) {
  rows.push(await measure(bundle));
}

if (process.argv.includes("--json")) {
  console.log(JSON.stringify(rows, null, 1));
} else {
  printTable(rows);
}
process.exitCode = rows.some(({ problem }) => problem !== null) ? 1 : 0;

async function measure({ name, source, goal, budget, lacks = [] }) {
  const minified = await bundleText(source, true);
  const gzip = gzipSync(minified, { level: 9 }).length;
  const plain = lacks.length === 0 ? "" : await bundleText(source, false);
  const found = lacks.map((pattern) => plain.match(pattern)?.[0]).filter((match) => match !== undefined);
  const problem =
    budget !== undefined && gzip > budget
      ? `above its budget of ${budget} B`
      : found.length > 0
        ? `carries ${found.join(", ")}`
        : null;
  return { name, minified: Buffer.byteLength(minified), gzip, goal: goal ?? null, budget: budget ?? null, problem };
}

async function bundleText(source, minify) {
  const result = await build({
    stdin: { contents: source, resolveDir: here },
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify,
    legalComments: "none",
    write: false,
    logLevel: "error",
    define: { global: "globalThis" },
    plugins: [nodeModulesForBrowsers],
  });
  return result.outputFiles[0].text;
}

function buildPackages(names) {
  const filters = [...names].map((name) => `--filter=${name}`);
  if (filters.length === 0) {
    return;
  }
  const args = ["exec", "turbo", "run", "build", "--output-logs=errors-only", ...filters];
  const { status } = spawnSync("pnpm", args, { cwd: here, stdio: ["ignore", process.stderr, process.stderr] });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
}

function printTable(rows) {
  const width = Math.max(...rows.map(({ name }) => name.length));
  console.log(`${"bundle".padEnd(width)}  minified      gzip      goal    budget`);
  for (const { name, minified, gzip, goal, budget, problem } of rows) {
    const numbers = [minified, gzip, goal, budget].map((bytes) => (bytes === null ? "" : `${bytes} B`).padStart(8));
    const verdict = problem ?? (goal !== null && gzip > goal ? "above its goal" : budget === null ? "" : "ok");
    console.log(`${name.padEnd(width)}  ${numbers.join("  ")}  ${verdict}`.trimEnd());
  }
}
