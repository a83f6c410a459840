import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root: string = join(dirname(fileURLToPath(import.meta.url)), "../../..");

/** Every file that git knows or would add. */
export const files: readonly string[] = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard"],
  {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  },
)
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(root, file)));

/** The pages that people read; not changesets, and not the specification's own text. */
export const pages: readonly string[] = files.filter(
  (file) => file.endsWith(".md") && !/^\.changeset\/|^packages\/conformance\/spec\/|CHANGELOG/.test(file),
);

export function read(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** A page without its fenced code. */
export function prose(page: string): string {
  return read(page).replace(/^```[^\n]*\n[\s\S]*?^```$/gm, "");
}

/** Fenced code of a page in these languages. */
export function code(page: string, ...languages: readonly string[]): string[] {
  return [...read(page).matchAll(/^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm)]
    .filter((match) => languages.includes(match[1] ?? ""))
    .map((match) => match[2] ?? "");
}

interface Manifest {
  readonly name: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export const manifests: ReadonlyMap<string, Manifest> = new Map(
  files
    .filter((file) => /^((packages|apps|tooling)\/[^/]+\/)?package\.json$/.test(file))
    .map((file) => [dirname(file), JSON.parse(read(file)) as Manifest]),
);

/** The source file behind an import of one of the packages, such as `@tidewire/client/lite`; undefined: there is none. */
export function sourceOf(specifier: string): string | undefined {
  const [, name, path] = specifier.match(/^(@tidewire\/[^/]+)(\/.*)?$/) ?? [];
  for (const [folder, manifest] of manifests) {
    if (manifest.name === name) {
      const entry = manifest.exports?.[`.${path ?? ""}`];
      const file = JSON.stringify(entry ?? "").match(/\.\/(src\/[^"]+\.ts)/)?.[1];
      return file === undefined ? undefined : join(folder, file);
    }
  }
  return undefined;
}
