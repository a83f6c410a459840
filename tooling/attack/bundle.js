// The tool's two programs, made of its sources: the one that attacks, and the canaries, which need a loop of their own.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const path = (file) => fileURLToPath(new URL(file, import.meta.url));

/** Where the attacking program is when `bundle` is done. */
export const MAIN = path("dist/main.js");

/** Bundles both into `dist/`. */
export async function bundle() {
  await build({
    entryPoints: [path("src/main.ts"), path("src/canary-process.ts")],
    outdir: path("dist"),
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    conditions: ["@tidewire/source"],
    external: ["selfsigned"],
    sourcemap: "inline",
    logLevel: "warning",
  });
}
