import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { saboteurs } from "../../simulation/src/saboteurs.ts";
import { code, files, manifests, pages, prose, read, root, sourceOf } from "./pages.ts";

// What the pages claim and a script can know.

describe.each(pages)("%s", (page) => {
  test("links lead to files and headings that exist", () => {
    const broken = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] as string)
      .filter((target) => !/^(https?|mailto):/.test(target))
      .filter((target) => {
        const [path = "", anchor] = target.split("#");
        const file = path === "" ? page : join(dirname(page), path);
        return !existsSync(join(root, file)) || (anchor !== undefined && !anchors(file).has(anchor));
      });
    expect(broken).toEqual([]);
  });

  test("commands are scripts of package.json", () => {
    const scripts = new Set(Object.keys(manifests.get(".")?.scripts ?? {}));
    const named = [...read(page).matchAll(/(?:npx )pnpm ([a-z][\w:-]*)/g)].map((match) => match[1] as string);
    expect(named.filter((script) => !scripts.has(script) && !PNPM.has(script))).toEqual([]);
  });

  test("files that are named exist", () => {
    expect(filesNamed(page).filter((file) => !isThere(file, page))).toEqual([]);
  });

  test("packages that are named exist, with their entries", () => {
    const named = [...read(page).matchAll(/(?<![\w/])@tidewire\/[a-z-]+(?:\/[a-z-]+)*/g)].map(([name]) => name);
    const unknown = named.filter(
      (name) => sourceOf(name) === undefined && !isPackage(name) && name !== SOURCE_CONDITION,
    );
    expect(unknown).toEqual([]);
  });

  test("what its code imports is exported", () => {
    const missing = code(page, "ts", "tsx", "js", "jsx").flatMap((block) =>
      [...block.matchAll(/import (?:type )?\{([^}]*)\} from "(@tidewire\/[^"]+)"/g)].flatMap(
        ([, names = "", from = ""]) => {
          const source = sourceOf(from);
          const exported = source === undefined ? "" : read(source);
          return names
            .split(",")
            .map((name) =>
              name
                .trim()
                .replace(/^type /, "")
                .replace(/ as .*/, ""),
            )
            .filter((name) => name !== "" && !new RegExp(`\\b${name}\\b`).test(exported))
            .map((name) => `${name} of ${from}`);
        },
      ),
    );
    expect(missing).toEqual([]);
  });
});

describe("decision records", () => {
  const records = files.filter((file) => /^docs\/adr\/\d{4}-.*\.md$/.test(file));

  test.each(records)("%s has a number, a title, what was decided and what it costs", (record) => {
    const text = read(record);
    expect(text).toMatch(new RegExp(`^# ${basename(record).slice(0, 4)}: [^\n]+\n\n`));
    expect(text).toContain("**Decided.**");
    expect(text).toContain("**Costs.**");
  });

  test("each number once, without a gap, and all in the list", () => {
    const numbers = records.map((record) => Number(basename(record).slice(0, 4)));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    const list = [...read("docs/adr/README.md").matchAll(/^\| \[(\d{4})\]\(([^)]+)\) \|/gm)].map((match) => match[2]);
    expect(list).toEqual(records.map((record) => basename(record)));
  });
});

describe("ARCHITECTURE.md", () => {
  test("the libraries that it names are in use, by a package that may", () => {
    const line = read("ARCHITECTURE.md")
      .split("\n")
      .find((text) => text.includes("Dependencies where the field has"));
    const named = [...(line ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] as string);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !dependencies().has(name))).toEqual([]);
  });

  test("the members of its interfaces are those of the source", () => {
    const source = files.filter((file) => /^packages\/[^/]+\/src\/.*\.ts$/.test(file)).map(read);
    const shown = code("ARCHITECTURE.md", "ts").flatMap(interfacesIn);
    expect(shown.length).toBeGreaterThan(10);
    const wrong = shown.flatMap(({ name, body }) => {
      const real = source.flatMap(interfacesIn).filter((one) => one.name === name);
      return membersOf(body)
        .filter((member) => !real.some((one) => membersOf(one.body).includes(member)))
        .map((member) => `${name}.${member}`);
    });
    expect(wrong).toEqual([]);
  });

  test("the files whose interfaces it shows exist", () => {
    const named = code("ARCHITECTURE.md", "ts").flatMap((block) => block.match(/^\/\/ [a-z-]+\/src\/[^:\s]*/gm) ?? []);
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter((line) => !existsSync(join(root, "packages", line.slice(3).replace(/,$/, ""))))).toEqual([]);
  });
});

test("every version in the catalog is used", () => {
  const catalog = read("pnpm-workspace.yaml").split("catalog:\n")[1] ?? "";
  const names = [...catalog.matchAll(/^ {2}"?([^":\s]+)"?:/gm)].map((match) => match[1] as string);
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !dependencies().has(name))).toEqual([]);
});

test("the session's page says how many broken variants there are", () => {
  expect(read("packages/session/README.md").replaceAll("\n", " ")).toContain(
    `${saboteurs.length} deliberately broken variants`,
  );
});

/** The name of an export condition, which looks like a package's. */
const SOURCE_CONDITION = "@tidewire/source";

/** Commands of pnpm itself. */
const PNPM = new Set(["add", "exec", "install", "dlx", "pack", "publish", "run"]);

function dependencies(): Set<string> {
  return new Set(
    [...manifests.values()].flatMap((manifest) =>
      Object.keys({
        ...manifest.dependencies,
        ...manifest.devDependencies,
        ...manifest.peerDependencies,
        ...manifest.optionalDependencies,
      }),
    ),
  );
}

function isPackage(name: string): boolean {
  return [...manifests.values()].some((manifest) => manifest.name === name);
}

/** GitHub's: lower case, spaces to hyphens, without punctuation. */
function anchors(file: string): Set<string> {
  const headings = [...read(file).matchAll(/^#+ (.+)$/gm)].map((match) => match[1] as string);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** File names in backticks that have a folder, or an ending of source. */
function filesNamed(page: string): string[] {
  // Files that stand for any, or that there shall not be.
  const examples = /(^|\/)(x|utils)\.[a-z.]+$/;
  // What others wrote is named by their repositories' paths.
  const text = prose(page).replace(/^Worth reading[\s\S]*?\n\n/m, "");
  return [...text.matchAll(/`([\w@.-]+(?:\/[\w@.-]+)*\.(?:ts|js|json|md|ya?ml))`/g)]
    .map((match) => match[1] as string)
    .filter((name) => !examples.test(name));
}

function isThere(name: string, page: string): boolean {
  const near = [".", dirname(page), join(dirname(page), "src"), "packages"].map((folder) => join(folder, name));
  return near.some((file) => existsSync(join(root, file))) || files.some((file) => file.endsWith(`/${name}`));
}

interface Shown {
  readonly name: string;
  readonly body: string;
}

/** Interfaces with what stands between their braces. */
function interfacesIn(text: string): Shown[] {
  return [...text.matchAll(/interface (\w+)[^{]*\{/g)].map((match) => {
    const start = match.index + match[0].length;
    let depth = 1;
    let end = start;
    for (; end < text.length && depth > 0; end += 1) {
      depth += text[end] === "{" ? 1 : text[end] === "}" ? -1 : 0;
    }
    return { name: match[1] as string, body: text.slice(start, end - 1) };
  });
}

/** Names of members; not those of parameters or of types within. */
function membersOf(body: string): string[] {
  let flat = body.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
  for (let before = ""; before !== flat; ) {
    before = flat;
    flat = flat.replace(/\([^()]*\)|\{[^{}]*\}/g, "");
  }
  return flat
    .split(/[;\n]/)
    .map((member) => member.trim().match(/^(?:readonly )?(\w+)/)?.[1])
    .filter((name) => name !== undefined);
}
