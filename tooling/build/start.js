// `pnpm start`: builds the demo and what it needs, then becomes it.
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { turbo } from "./turbo.js";

const program = join(dirname(fileURLToPath(import.meta.url)), "../../apps/server/bin/tidewire.js");

if (turbo("build", "--filter=tidewire...")) {
  process.argv = [process.argv[0], program, "demo", ...process.argv.slice(2)];
  await import(pathToFileURL(program).href);
} else {
  process.exitCode = 1;
}
