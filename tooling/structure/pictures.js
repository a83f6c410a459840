// The pictures of layers in ARCHITECTURE.md, drawn from the imports.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { roomOf } from "./boundaries.js";
import { layers } from "./graph.js";
import { packageNames, root } from "./imports.js";

const MARKED = /(<!-- structure: ([a-z-]+) -->\n).*?(<!-- \/structure -->)/gs;

/** ARCHITECTURE.md with every picture between its markers drawn anew. */
export function redraw(text, importsByPackage) {
  return text.replace(MARKED, (_whole, start, subject, end) => {
    const picture = subject === "packages" ? drawPackages(importsByPackage) : drawRooms(importsByPackage, subject);
    return `${start}\n\`\`\`\n${picture}\n\`\`\`\n\n${end}`;
  });
}

/** What is drawn: `packages`, or a package's name. */
export function subjects(text) {
  return [...text.matchAll(MARKED)].map((match) => match[2]);
}

function drawPackages(importsByPackage) {
  const graph = new Map(packageNames().map((name) => [name, packagesIn(importsByPackage.get(name))]));
  const apps = readdirSync(join(root, "apps")).filter((app) => existsSync(join(root, "apps", app, "package.json")));
  for (const app of apps) {
    graph.set(`apps/${app}`, dependenciesOf(app));
  }
  return draw(graph);
}

function drawRooms(importsByPackage, name) {
  const imports = importsByPackage.get(name);
  if (imports === undefined) {
    throw new Error(`ARCHITECTURE.md asks for a picture of ${name}, which is no package.`);
  }
  return draw(roomGraph(imports));
}

/** The rooms of a package, each with those that it imports. The package's own entry, which has everything, is left out. */
export function roomGraph(imports) {
  const graph = new Map();
  for (const { file, target } of imports) {
    const from = roomOf(file);
    if (from === "index.ts") {
      continue;
    }
    const on = graph.get(from) ?? new Set();
    graph.set(from, on);
    if (target !== undefined && roomOf(target) !== from) {
      on.add(roomOf(target));
    }
  }
  for (const name of [...graph.values()].flatMap((on) => [...on])) {
    if (!graph.has(name)) {
      graph.set(name, new Set());
    }
  }
  return graph;
}

function packagesIn(imports) {
  return new Set(imports.flatMap(({ specifier }) => specifier.match(/^@tidewire\/([a-z-]+)/)?.[1] ?? []));
}

function dependenciesOf(app) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, "apps", app, "package.json"), "utf8"));
  return new Set(Object.keys(dependencies).flatMap((name) => name.match(/^@tidewire\/(.+)/)?.[1] ?? []));
}

function draw(graph) {
  const rows = layers(graph);
  const width = Math.max(...rows.map(({ name }) => name.length));
  return rows
    .map(({ name, level, on }, index) => {
      const label = rows[index - 1]?.level === level ? " " : level;
      return `${String(label).padStart(2)}  ${name.padEnd(width)}${on.length === 0 ? "" : ` → ${on.join(", ")}`}`.trimEnd();
    })
    .join("\n");
}
