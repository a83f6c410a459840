// `turbo run ...` with telemetry off, its output shown only when something failed. Exit code: turbo's.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** Runs a turbo task from the root, such as `turbo("build", "--filter=tidewire...")`; true when all succeeded. */
export function turbo(task, ...args) {
  const started = Date.now();
  const result = spawnSync(
    join(root, "node_modules/.bin/turbo"),
    ["run", task, ...args, "--output-logs=errors-only", "--ui=stream"],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
      shell: process.platform === "win32",
    },
  );
  if (result.status === 0) {
    console.log(`${task}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
    return true;
  }
  console.log(`${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}`);
  console.log(`${task}: failed`);
  return false;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = turbo(...process.argv.slice(2)) ? 0 : 1;
}
