// `pnpm test:crash [kills] [seed]`: the crash suite with 300 kills instead of the 20 that are part of `pnpm test`.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { turbo } from "../build/turbo.js";

const [kills = "300", seed = ""] = process.argv.slice(2);
const root = fileURLToPath(new URL("../../", import.meta.url));

process.exitCode = turbo("build") ? test() : 1;

function test() {
  const env = { ...process.env, TIDEWIRE_CRASH_KILLS: kills, TIDEWIRE_CRASH_SEED: seed };
  const { status } = spawnSync("pnpm", ["exec", "vitest", "run", "tooling/crash"], {
    cwd: root,
    stdio: "inherit",
    env,
  });
  return status ?? 1;
}
