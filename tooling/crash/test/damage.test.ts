import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { program, Server } from "../src/server.ts";
import { Wire } from "../src/wire.ts";

/* "A damaged file handed to a native library", from the command line: no signal, and a sentence that says what to do. */

const PAGE_BYTES = 4096;
vi.setConfig({ testTimeout: 120_000 });
let root: string;
let data: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "tidewire-damage-"));
  data = join(root, "data");
  const server = new Server(data);
  await server.start();
  const subscriber = await Wire.open(server.port, "subscriber", 5);
  await subscriber.wire.subscribe("kept", 1);
  subscriber.wire.close();
  const { wire } = await Wire.open(server.port, "publisher", 5);
  for (let index = 0; index < 40; index += 1) {
    wire.publish(1, 1, false, "kept", `${index}`.padEnd(600));
    await wire.poll(10_000);
  }
  wire.close();
  await server.stop();
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

test("a sound directory is checked and said to be sound", () => {
  const { status, stdout } = run("check-store", data);
  expect([status, stdout]).toEqual([0, expect.stringContaining("40 queue")]);
});

test.each([
  ["cut to 100 bytes", (file: string) => truncateSync(file, 100)],
  ["with a page of zeros", (file: string) => overwrite(file, usedPage(file), Buffer.alloc(PAGE_BYTES))],
  ["of junk", (file: string) => writeFileSync(file, Buffer.alloc(20 * PAGE_BYTES, "junk"))],
  ["that is empty", (file: string) => truncateSync(file, 0)],
  ["that is missing", (file: string) => rmSync(file)],
])("a database %s: serve ends with a sentence and the remedy", (_name, damage) => {
  const victim = join(root, "victim");
  rmSync(victim, { recursive: true, force: true });
  cpSync(data, victim, { recursive: true });
  damage(join(victim, "data.mdb"));
  const { status, signal, stderr } = run("serve", "--store", victim, "--listen", "tcp://127.0.0.1:0");
  expect([status, signal]).toEqual([2, null]);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toContain(`tidewire repair ${victim} TO`);
});

test("repair saves what can be read, and the broker starts on it", async () => {
  const victim = join(root, "broken");
  const saved = join(root, "saved");
  cpSync(data, victim, { recursive: true });
  const file = join(victim, "data.mdb");
  overwrite(file, usedPage(file), Buffer.alloc(PAGE_BYTES));
  expect(run("check-store", victim)).toMatchObject({ status: 1, stdout: expect.stringContaining("damaged: page") });
  const { status, stdout } = run("repair", victim, saved);
  expect([status, stdout]).toEqual([0, expect.stringMatching(/sessions: \d+ saved/)]);
  const server = new Server(saved);
  await server.start();
  await server.stop();
  expect(run("check-store", saved).status).toBe(0);
});

/** The page with the names of all tables: a page that is in use. */
function usedPage(file: string): number {
  const bytes = readFileSync(file);
  const newest = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(PAGE_BYTES + 152) ? 0 : 1;
  return Number(bytes.readBigUInt64LE(newest * PAGE_BYTES + 136));
}

function overwrite(path: string, page: number, by: Buffer): void {
  const file = readFileSync(path);
  by.copy(file, page * PAGE_BYTES);
  writeFileSync(path, file);
}

function run(...args: string[]) {
  return spawnSync(process.execPath, [program, ...args], { encoding: "utf8", timeout: 60_000 });
}
