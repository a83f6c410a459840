import { expect, test } from "vitest";
import { brokenBoundaries, brokenEntries } from "../boundaries.js";
import { circles, layers } from "../graph.js";
import { importsIn } from "../imports.js";
import { redraw, roomGraph } from "../pictures.js";
import { readTable } from "../table.js";

const table = readTable(`
| package | imports | platform and libraries | must not |
|---|---|---|---|
| low | nothing | nothing | - |
| high | low, middle (types) | \`ws\`, \`node:*\` in \`node/\`; \`idb\` | - |

| another | table |
`);

const faults = (text: string, file = "a.ts") => brokenBoundaries("high", importsIn(text, file), table.get("high"));

test("the table ends with its last row", () => {
  expect([...table.keys()]).toEqual(["low", "high"]);
});

test("what a row allows passes", () => {
  expect(faults('import { x } from "@tidewire/low/sub"; import type { Y } from "@tidewire/middle";')).toEqual([]);
  expect(faults('import { connect } from "node:net"; export * from "ws";', "node/dial.ts")).toEqual([]);
  expect(faults('import { type A, type B } from "@tidewire/middle"; import { open } from "idb";')).toEqual([]);
});

test.each([
  ['import { x } from "@tidewire/other";', "may import low, middle, not other"],
  ['import { y } from "@tidewire/middle";', "types of middle alone"],
  ['import { type A, b } from "@tidewire/middle";', "types of middle alone"],
  ['export { x } from "@tidewire/other";', "not other"],
  ['type X = import("@tidewire/other").X;', "not other"],
  ['const x = await import("@tidewire/other");', "not other"],
  ['import "node:fs";', '"node:fs" is for node/ alone'],
  ['import ws from "ws";', '"ws" is for node/ alone'],
  ['import x from "lodash/x";', 'does not use "lodash"'],
  ['import x from "../../low/src/x.ts";', "leaves the package"],
])("%s is a fault", (text, fault) => {
  expect(faults(text)).toEqual([expect.stringContaining(fault)]);
});

test("an import in a comment or a string is none", () => {
  expect(faults(`// import "lodash";\nconst x = 'import "lodash"';`)).toEqual([]);
});

test("a package without a row is a fault", () => {
  expect(brokenBoundaries("new", [], undefined)).toEqual([expect.stringContaining("no row")]);
});

test("a room is entered through its index alone, by other rooms and by the files beside them", () => {
  const from = (file: string, specifier: string) => brokenEntries("p", importsIn(`import "${specifier}";`, file));
  expect(from("a.ts", "./room/inner.ts")).toHaveLength(1);
  expect(from("other/a.ts", "../room/inner.ts")).toHaveLength(1);
  expect(from("other/a.ts", "../room/index.ts")).toEqual([]);
  expect(from("room/a.ts", "./inner.ts")).toEqual([]);
  expect(from("room/a.ts", "../root.ts")).toEqual([]);
});

test("rooms that need each other are a circle, types counted", () => {
  const imports = [
    ...importsIn('import type { A } from "../b/index.ts";', "a/one.ts"),
    ...importsIn('import { two } from "../a/index.ts"; import "../c.ts";', "b/two.ts"),
  ];
  expect(circles(roomGraph(imports))).toEqual([["a/", "b/"]]);
});

test("layers stand on what they import, and leave out what is reached through another", () => {
  const graph = new Map([
    ["top", new Set(["middle", "ground"])],
    ["middle", new Set(["ground"])],
    ["ground", new Set<string>()],
  ]);
  expect(layers(graph)).toEqual([
    { name: "top", level: 2, on: ["middle"] },
    { name: "middle", level: 1, on: ["ground"] },
    { name: "ground", level: 0, on: [] },
  ]);
});

test("a stale picture is drawn anew, and one that is not stays as it is", () => {
  const page = "before\n<!-- structure: p -->\nold\n<!-- /structure -->\nafter\n";
  const imports = new Map([["p", importsIn('import "./b.ts";', "a.ts")]]);
  const drawn = redraw(page, imports);
  expect(drawn).toContain(" 1  a.ts → b.ts\n 0  b.ts\n");
  expect(redraw(drawn, imports)).toBe(drawn);
});
