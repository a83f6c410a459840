import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { UsageError } from "./errors.ts";
import { linesOf, readNamedFile } from "./text-file.ts";

const directory = mkdtempSync(join(tmpdir(), "tidewire-text-file-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it("reads a file whole, whatever its length in chunks", () => {
  const file = join(directory, "users");
  for (const length of [0, 1, 65_536, 200_000]) {
    writeFileSync(file, "x".repeat(length));
    expect(readNamedFile("--users", file, "fix it").length).toBe(length);
  }
});

// `--users /dev/zero` took all memory of the machine once.
it.each(["/dev/zero", "/dev/random", "/", join(directory, "missing")])("refuses %s at once", (file) => {
  expect(() => readNamedFile("--users", file, "fix it")).toThrow(UsageError);
});

it("refuses a file that is too long to be meant", () => {
  const file = join(directory, "long");
  writeFileSync(file, "");
  truncateSync(file, 300 * 1024 * 1024);
  expect(() => readNamedFile("--users", file, "name another")).toThrow(/longer than 256 MiB; name another/);
});

// Opening a pipe waits until somebody writes to it: `serve --users FIFO` stood still without a word, and so did a reload.
it.each([
  ["a named pipe", () => makePipe()],
  ["a directory", () => directory],
  ["a device", () => "/dev/null"],
])("says of %s what it is, and does not wait for it", (kind, make) => {
  const file = make();
  expect(() => readNamedFile("--users", file, "name another")).toThrow(`${file} is ${kind}, not a file; name another`);
});

it("refuses a file of more lines than can be meant, before they are made", () => {
  expect(() => linesOf("users file", "users", Buffer.alloc(4_000_000, "\n"))).toThrow(/has more than 2000000 lines/);
});

function makePipe(): string {
  const file = join(directory, "pipe");
  execFileSync("mkfifo", [file]);
  return file;
}
