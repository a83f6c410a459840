import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { systemBacklog } from "./backlog.ts";

// A storm of 10,000 clients overflowed a backlog of 1,024 tens of thousands of times.
it("is what the system allows, and large where that cannot be read", () => {
  const directory = mkdtempSync(join(tmpdir(), "tidewire-"));
  const file = join(directory, "somaxconn");
  writeFileSync(file, "4096\n");
  expect(systemBacklog(file)).toBe(4_096);
  for (const text of ["", "many", "-1", "0"]) {
    writeFileSync(file, text);
    expect(systemBacklog(file)).toBe(65_535);
  }
  rmSync(directory, { recursive: true });
  expect(systemBacklog(file)).toBe(65_535);
});
