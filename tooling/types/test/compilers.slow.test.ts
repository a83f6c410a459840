import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, it } from "vitest";

// The declarations that are published, as a caller's compiler reads them: every release line from 5.6 on, both ways of
// finding modules, and without `skipLibCheck`.

const here = fileURLToPath(new URL("../", import.meta.url));
const root = fileURLToPath(new URL("../../../", import.meta.url));
const require = createRequire(import.meta.url);

const compilers: Readonly<Record<string, string>> = {
  "5.6": "typescript-5.6/package.json",
  "5.9": "typescript-5.9/package.json",
  "6": "typescript-6/package.json",
  "7": join(root, "node_modules/typescript/package.json"),
};

beforeAll(() => {
  const { status, stderr } = spawnSync("pnpm", ["exec", "turbo", "run", "build", "--filter=@tidewire/client"], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stderr.includes("ERROR") ? stderr : status).toBe(0);
}, 300_000);

for (const [version, manifest] of Object.entries(compilers)) {
  it.each(["bundler", "nodenext"])(`TypeScript ${version} reads the types, moduleResolution %s`, (moduleResolution) => {
    const config = join(here, `tsconfig.${version}-${moduleResolution}.json`);
    const compilerOptions = {
      noEmit: true,
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      target: "es2022",
      lib: ["es2022", "dom"],
      types: [],
      module: moduleResolution === "bundler" ? "esnext" : "nodenext",
      moduleResolution,
    };
    writeFileSync(config, JSON.stringify({ compilerOptions, files: ["../../packages/client/test/types.ts"] }));
    const tsc = join(dirname(require.resolve(manifest)), "bin/tsc");
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", config], { cwd: here, encoding: "utf8" });
    expect(stdout).toBe("");
  });
}
