import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle, MAIN } from "../bundle.js";
import { ATTACKS, select } from "../src/catalogue.ts";
import type { Result } from "../src/runner.ts";

/*
 * The cheap attacks, once each, at the built program: `pnpm attack --quick`.
 */

const directory = mkdtempSync(join(tmpdir(), "tidewire-attack-test-"));
afterAll(() => rmSync(directory, { recursive: true }));

let report: { readonly seed: number; readonly results: readonly Result[] };
beforeAll(async () => {
  await bundle();
  const json = join(directory, "report.json");
  const child = spawn(process.execPath, [MAIN, "--quick", "--json", json], { stdio: ["ignore", "ignore", "inherit"] });
  await once(child, "exit");
  report = JSON.parse(readFileSync(json, "utf8"));
}, 300_000);

it.each(select(ATTACKS, { only: [], quick: true }).map(({ id, title }) => [id, title] as const))(
  "%s holds: %s",
  (id) => {
    const found = report.results.filter((result) => result.id === id);
    expect(found).not.toEqual([]);
    const wrong = found.filter(({ verdict }) => verdict !== "held");
    const shown = wrong.map(({ variant, reasons }) => ({ seed: report.seed, variant, reasons }));
    expect(shown).toEqual([]);
  },
);
