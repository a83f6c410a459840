import { existsSync } from "node:fs";
import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";

const executablePath = process.env.TIDEWIRE_CHROMIUM ?? "/usr/bin/chromium";

/** Why there is no browser to test with; in continuous integration that is a failure, not a reason. */
export const missingChromium: string | undefined =
  existsSync(executablePath) || process.env.CI === "true" ? undefined : `no ${executablePath}`;

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A module of this folder as a script for a page. */
export async function bundle(file: string): Promise<string> {
  const result = await build({
    entryPoints: [new URL(file, import.meta.url).pathname],
    bundle: true,
    write: false,
    format: "esm",
    conditions: process.env.TIDEWIRE_TEST_BUILT === "1" ? [] : ["@tidewire/source"],
  });
  return result.outputFiles[0]?.text ?? "";
}
