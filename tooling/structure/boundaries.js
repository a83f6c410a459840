// Who may import whom: each package against its row of ARCHITECTURE.md's table, each room against its neighbours.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./imports.js";

/** Imports of one package that its row does not have. */
export function brokenBoundaries(name, imports, rule) {
  if (rule === undefined) {
    return [`packages/${name} has no row in the table of ARCHITECTURE.md.`];
  }
  return imports.flatMap((found) => {
    const fault = found.target === undefined ? outsideFault(found, rule) : leavesPackage(found);
    return fault === undefined ? [] : [`${where(name, found)}: ${fault}`];
  });
}

function leavesPackage({ specifier, target }) {
  return target.startsWith("../") ? `"${specifier}" leaves the package; import it by its name.` : undefined;
}

function outsideFault({ file, specifier, typeOnly }, { name, packages, outside }) {
  const [, own] = specifier.match(/^@tidewire\/([a-z-]+)/) ?? [];
  if (own !== undefined) {
    const allowed = packages.get(own);
    if (allowed === undefined) {
      return `${name} may import ${listed([...packages.keys()])}, not ${own} (the table in ARCHITECTURE.md).`;
    }
    return allowed.typesOnly && !typeOnly ? `${name} may import types of ${own} alone.` : undefined;
  }
  const library = specifier.match(/^(@[^/]+\/)?[^/]+/)[0];
  const parts = outside.filter(({ names }) => names.some((one) => one === library || matchesNode(one, specifier)));
  if (parts.length === 0) {
    return `${name} does not use "${library}" (the table in ARCHITECTURE.md).`;
  }
  if (parts.some(({ places }) => places.length === 0 || places.some((place) => file.startsWith(place)))) {
    return undefined;
  }
  return `"${library}" is for ${listed(parts.flatMap(({ places }) => places))} alone.`;
}

function matchesNode(rule, specifier) {
  return rule === "node:*" && specifier.startsWith("node:");
}

/** Dependencies in package.json that the row does not have: what is not imported must not be installed either. */
export function brokenDependencies(name, rule) {
  const { dependencies, peerDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, "packages", name, "package.json"), "utf8"),
  );
  const libraries = new Set(rule?.outside.flatMap(({ names }) => names));
  return Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })
    .filter((dependency) => !libraries.has(dependency) && !rule?.packages.has(dependency.replace("@tidewire/", "")))
    .map((dependency) => `packages/${name}/package.json depends on ${dependency}, which its row does not have.`);
}

/** The room of a file: its folder in `src`, or the file itself where it stands in none. */
export function roomOf(file) {
  const slash = file.indexOf("/");
  return slash < 0 ? file : file.slice(0, slash + 1);
}

/** Imports that enter a room by another way than its entry, `index.ts`; an alias of package.json is an entry of its own. */
export function brokenEntries(name, imports) {
  return imports
    .filter(({ file, specifier, target }) => specifier.startsWith(".") && entersRoom(file, target))
    .filter(({ target }) => target !== `${roomOf(target)}index.ts`)
    .map((found) => `${where(name, found)}: import ${found.target} through ${roomOf(found.target)}index.ts.`);
}

function entersRoom(file, target) {
  return target.includes("/") && !target.startsWith("../") && roomOf(target) !== roomOf(file);
}

function where(name, { file, line }) {
  return `packages/${name}/src/${file}:${line}`;
}

function listed(names) {
  return names.length === 0 ? "nothing" : names.join(", ");
}
