// `turbo run ...` with telemetry off and only errors printed. Exit code: turbo's.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** Runs turbo tasks from the root, such as `turbo("build", "--filter=tidewire...")`; true when all succeeded. */
export function turbo(...args) {
  const result = spawnSync(join(root, "node_modules/.bin/turbo"), ["run", ...args, "--output-logs=errors-only"], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
    shell: process.platform === "win32",
  });
  return result.status === 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = turbo(...process.argv.slice(2)) ? 0 : 1;
}
