import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { UsageError } from "./errors.ts";
import { readNamedFile } from "./text-file.ts";

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
