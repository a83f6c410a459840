// The import table of ARCHITECTURE.md, read as the rule that it is.
//
//   | package | imports | platform and libraries | must not |
//
// `imports`: packages, separated by commas; `(types)` after a name: only its types. `platform and libraries`: names in
// backticks, in parts separated by semicolons; a part that ends with "in `place/`" holds for that folder or file alone.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./imports.js";

/**
 * @typedef {object} Rule
 * @property {string} name
 * @property {Map<string, { typesOnly: boolean }>} packages
 * @property {{ names: string[], places: string[] }[]} outside No places: everywhere in the package.
 */

/** @returns {Map<string, Rule>} */
export function readTable(text = readFileSync(join(root, "ARCHITECTURE.md"), "utf8")) {
  const rows = text.split("\n");
  const head = rows.findIndex((row) => /^\| *package *\| *imports *\|/.test(row));
  if (head < 0) {
    throw new Error("ARCHITECTURE.md has no table that begins with | package | imports |.");
  }
  const rules = new Map();
  for (const row of rows.slice(head + 2)) {
    if (!row.startsWith("|")) {
      break;
    }
    const [name, packages, outside] = row
      .split("|")
      .slice(1, 4)
      .map((cell) => cell.trim());
    rules.set(name, { name, packages: packagesIn(packages), outside: outsideIn(outside) });
  }
  return rules;
}

function packagesIn(cell) {
  const entries = cell === "nothing" ? [] : cell.split(",").map((part) => part.trim());
  return new Map(entries.map((entry) => [entry.replace(/ \(types\)$/, ""), { typesOnly: entry.endsWith(" (types)") }]));
}

function outsideIn(cell) {
  return cell.split(";").map((part) => {
    const [names, places = ""] = part.split(" in ");
    return { names: quoted(names), places: quoted(places) };
  });
}

function quoted(text) {
  return [...text.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
}
