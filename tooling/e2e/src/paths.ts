import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** The root of the repository. */
export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));

/** What tests leave behind to be looked at, such as screenshots; ignored by git. */
export function artifactPath(name: string): string {
  const directory = join(ROOT, "test-artifacts");
  mkdirSync(directory, { recursive: true });
  return join(directory, name);
}

/** A program of an app, which must have been built. */
export function builtProgram(app: "server" | "device-agent" | "gateway", bin: string): string {
  const dist = join(ROOT, "apps", app, "dist");
  if (!existsSync(dist)) {
    throw new Error(`apps/${app} is not built: run "pnpm build" first`);
  }
  return join(ROOT, "apps", app, "bin", bin);
}

/** A fresh directory that goes when the test file has ended. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "tidewire-e2e-"));
  temporary.push(directory);
  return directory;
}

const temporary: string[] = [];
afterAll(() => {
  for (const directory of temporary) {
    rmSync(directory, { recursive: true, force: true });
  }
});
