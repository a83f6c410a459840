// Packs every public package and looks at the tarball as its users will get it: publint for the package, attw for its types.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const bin = (name) => join(root, "node_modules/.bin", name);

process.exitCode = main();

function main() {
  let failures = 0;
  for (const folder of publicPackages()) {
    const problems = check(folder);
    console.log(`${problems.length === 0 ? "ok  " : "FAIL"} ${folder}`);
    for (const problem of problems) {
      console.log(problem);
    }
    failures += problems.length;
  }
  return failures === 0 ? 0 : 1;
}

function publicPackages() {
  return ["packages", "apps"].flatMap((parent) =>
    readdirSync(join(root, parent))
      .map((name) => join(parent, name))
      .filter((folder) => !manifest(folder).private),
  );
}

function check(folder) {
  const out = mkdtempSync(join(tmpdir(), "tidewire-pack-"));
  try {
    const pack = run("pnpm", ["pack", "--pack-destination", out], join(root, folder));
    const tarball = readdirSync(out).find((name) => name.endsWith(".tgz"));
    if (pack.failed || tarball === undefined) {
      return [pack.output];
    }
    const path = join(out, tarball);
    const problems = [];
    const lint = run(bin("publint"), ["run", path, "--strict"], root);
    if (lint.failed) {
      problems.push(lint.output);
    }
    if (hasTypes(folder)) {
      // ESM only by decision; Node 20.19 and later can require() it.
      const types = run(bin("attw"), [path, "--profile", "esm-only", "--no-emoji", "--format", "ascii"], root);
      if (types.failed) {
        problems.push(types.output);
      }
    }
    return problems;
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function hasTypes(folder) {
  return Object.values(manifest(folder).exports ?? {}).some((entry) => typeof entry === "object" && "types" in entry);
}

function manifest(folder) {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
}

function run(program, args, cwd) {
  const result = spawnSync(program, args, { cwd, encoding: "utf8" });
  return { failed: result.status !== 0, output: `${result.stdout ?? ""}${result.stderr ?? ""}${result.error ?? ""}` };
}
