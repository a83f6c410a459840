// `pnpm structure`: draws the layers of ARCHITECTURE.md from the imports. With --check it draws nothing, and fails when a
// picture is stale. Either way it holds the source to the table of ARCHITECTURE.md and each room to its one entry.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { brokenBoundaries, brokenDependencies, brokenEntries } from "./boundaries.js";
import { brokenErrors } from "./errors.js";
import { openErrors, openRooms } from "./exceptions.js";
import { circles } from "./graph.js";
import { importsOf, packageNames, root } from "./imports.js";
import { redraw, roomGraph } from "./pictures.js";
import { readTable } from "./table.js";

process.exitCode = main(process.argv.includes("--check"));

function main(checking) {
  const importsByPackage = new Map(packageNames().map((name) => [name, importsOf(name)]));
  const faults = [...rulesBroken(importsByPackage), ...drawn(importsByPackage, checking)];
  for (const fault of faults) {
    console.log(fault);
  }
  console.log(faults.length === 0 ? "structure: as ARCHITECTURE.md says" : `structure: ${faults.length} faults`);
  return faults.length === 0 ? 0 : 1;
}

function rulesBroken(importsByPackage) {
  const table = readTable();
  const missing = [...table.keys()].filter((name) => !importsByPackage.has(name));
  const faults = missing.map((name) => `The table of ARCHITECTURE.md has a row for ${name}, which is no package.`);
  for (const [name, imports] of importsByPackage) {
    faults.push(...brokenBoundaries(name, imports, table.get(name)), ...brokenDependencies(name, table.get(name)));
    const rooms = [
      ...brokenEntries(name, imports),
      ...circles(roomGraph(imports)).map((circle) => `packages/${name}: a circle of rooms, ${circle.join(", ")}.`),
    ];
    const errors = brokenErrors(name);
    for (const [file, reason] of openErrors) {
      if (file.startsWith(`packages/${name}/`) && !errors.some((fault) => fault.startsWith(file))) {
        faults.push(`tooling/structure/exceptions.js: ${file} needs no exception any more (${reason}).`);
      }
    }
    faults.push(...errors.filter((fault) => ![...openErrors.keys()].some((file) => fault.startsWith(file))));
    if (!openRooms.has(name)) {
      faults.push(...rooms);
    } else if (rooms.length === 0) {
      faults.push(`tooling/structure/exceptions.js: ${name} needs no exception any more.`);
    }
  }
  return faults;
}

function drawn(importsByPackage, checking) {
  const page = join(root, "ARCHITECTURE.md");
  const before = readFileSync(page, "utf8");
  const after = redraw(before, importsByPackage);
  if (before === after) {
    return [];
  }
  if (checking) {
    return ["ARCHITECTURE.md: a picture of the layers is stale; draw it anew with `npx pnpm structure`."];
  }
  writeFileSync(page, after);
  console.log("ARCHITECTURE.md: drawn anew");
  return [];
}
