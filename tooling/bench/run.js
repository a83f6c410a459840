// `pnpm bench <name> [--json]`: runs tooling/bench/<name>.js on the built packages. With --json the rows go to standard
// output as [{ name, unit, ours, peer, peerName, ratio }] and nothing else does.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

/** What a benchmark has built first, as turbo filters; by default all that benchmarks import. */
const builds = {
  codec: ["@tidewire/codec"],
  session: ["@tidewire/session"],
  transport: ["@tidewire/transport-tcp", "@tidewire/transport-websocket"],
};
const helpers = new Set(["run.js", "measure.js"]);
const root = new URL("../../", import.meta.url);
const folder = new URL("./", import.meta.url);

const [name, ...options] = process.argv.slice(2);
const json = options.includes("--json");
const script = new URL(`${name}.js`, folder);

if (name === undefined || name.startsWith("-") || helpers.has(`${name}.js`) || !existsSync(script)) {
  const names = readdirSync(folder)
    .filter((file) => file.endsWith(".js") && !helpers.has(file))
    .map((file) => file.slice(0, -3));
  console.error(`Usage: pnpm bench <${names.join(" | ")}> [--json]`);
  process.exit(2);
}

const filters = (builds[name] ?? ["@tidewire-tooling/bench^..."]).map((filter) => `--filter=${filter}`);
const build = spawnSync("pnpm", ["exec", "turbo", "run", "build", "--output-logs=errors-only", ...filters], {
  cwd: root,
  // Standard output is for the rows.
  stdio: ["ignore", process.stderr, process.stderr],
});
if (build.status !== 0) {
  process.exit(build.status ?? 1);
}

const { printRows } = await import("./measure.js");
const { run } = await import(script.href);
printRows(await run({ options }), { json });
