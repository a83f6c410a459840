#!/usr/bin/env node
import { existsSync } from "node:fs";

const program = new URL("../dist/cli/main.js", import.meta.url);
if (existsSync(program)) {
  const { main } = await import(program.href);
  // Connections that a server never closes must not keep the program alive.
  process.exit(await main(process.argv.slice(2)));
}
process.stderr.write("Not built yet: run `pnpm build` first.\n");
process.exit(2);
