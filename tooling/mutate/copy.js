// A copy of the tree to change and to throw away: the files that git knows or would add, and the links of node_modules.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** @returns {{ path: string, remove: () => void }} */
export function copyTree(root) {
  const path = mkdtempSync(join(tmpdir(), "tidewire-mutate-"));
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const file of files.toString().split("\0").filter(Boolean)) {
    if (existsSync(join(root, file))) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      cpSync(join(root, file), join(path, file));
    }
  }
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"));
  for (const parent of ["packages", "apps", "tooling"]) {
    for (const name of readdirSync(join(root, parent))) {
      const modules = join(parent, name, "node_modules");
      // The links are relative, so that a sibling in the copy is the copy's.
      if (existsSync(join(root, modules)) && existsSync(join(path, parent, name))) {
        cpSync(join(root, modules), join(path, modules), { recursive: true, verbatimSymlinks: true });
      }
    }
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
