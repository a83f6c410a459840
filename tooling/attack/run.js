// `pnpm attack [options]`: builds the program, bundles the tool and runs it. `pnpm attack --help` lists the options.
import { spawnSync } from "node:child_process";
import process from "node:process";
import { turbo } from "../build/turbo.js";
import { bundle, MAIN } from "./bundle.js";

process.exitCode = turbo("build", "--filter=tidewire...") ? await attack() : 1;

async function attack() {
  await bundle();
  const args = ["--enable-source-maps", MAIN, ...process.argv.slice(2)];
  return spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
}
