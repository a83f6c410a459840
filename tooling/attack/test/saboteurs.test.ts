import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle, MAIN } from "../bundle.js";
import type { Result } from "../src/runner.ts";

/*
 * A check that cannot fail is none: a broker with one fault each, and what the tool must say of it.
 */

const TOY = fileURLToPath(new URL("./toy-broker.js", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "tidewire-attack-test-"));

beforeAll(() => bundle());
afterAll(() => rmSync(directory, { recursive: true }));

/** Attack 9, malformed packets from a client that was let in, at the toy broker. */
async function attack(fault: string): Promise<Result> {
  const json = join(directory, `${fault}.json`);
  const args = [MAIN, "--only", "9", "--one", "--transport", "tcp", "--program", TOY, "--seed", "0", "--json", json];
  const env = { ...process.env, TOY_FAULT: fault };
  await once(spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "inherit"] }), "exit");
  return JSON.parse(readFileSync(json, "utf8")).results[0];
}

it("finds nothing wrong with an honest broker", { timeout: 60_000 }, async () => {
  expect(await attack("none")).toMatchObject({ verdict: "held", reasons: [] });
});

it.each([
  ["accepts everything", "failed", /QoS 3: the connection stays open/],
  ["says something else", "failed", /QoS 3: DISCONNECT 0x80/],
  ["dies", "failed", /the process ended: exit code 1/],
  ["blocks", "failed", /the loop was blocked for \d{3,} ms/],
  ["grows", "failed", /memory grew by \d{3} MB/],
  ["loses messages", "failed", /\d+ of the canaries' \d+ messages were lost/],
  ["throws out others", "failed", /canaries were disconnected/],
  ["keeps files open", "failed", /connections stayed open/],
  ["logs nothing", "unlogged", /not logged: why a client was thrown out/],
])("sees a broker that %s", { timeout: 120_000 }, async (fault, verdict, reason) => {
  const result = await attack(fault);
  expect(result.verdict).toBe(verdict);
  expect(result.reasons.join("\n")).toMatch(reason);
});
