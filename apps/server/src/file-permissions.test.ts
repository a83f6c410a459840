import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { permissionWarnings } from "./file-permissions.ts";

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidewire-mode-"));
  file = join(directory, "f");
  writeFileSync(file, "");
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

it.each([
  [0o600, true, undefined],
  [0o640, true, undefined],
  [0o644, false, undefined],
  [0o644, true, /^--users .*f can be read by every user of this machine, .* \(mode 0644\); run "chmod o= .*f"$/],
  [0o666, true, /can be changed by every user of this machine, who could let themselves in \(mode 0666\); run/],
  [0o602, false, /can be changed by every user/],
])("judges mode %o of a file (secret: %s)", (mode, secret, message) => {
  chmodSync(file, mode);
  const warnings = permissionWarnings([{ flag: "--users", file, secret }]);
  expect(warnings).toEqual(message === undefined ? [] : [expect.stringMatching(message)]);
});

it("leaves a file that is not there to whoever reads it", () => {
  expect(permissionWarnings([{ flag: "--users", file: join(directory, "none"), secret: true }])).toEqual([]);
});
