import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

test("the table of errors in the documentation has every code there is, and no other", () => {
  const source = read("../src/errors/client-error.ts");
  const type = /export type ClientErrorCode =(.*?);\n\n/s.exec(source)![1]!;
  const codes = [...type.matchAll(/\| "([a-z0-9-]+)"/g)].map(([, code]) => code);
  const rows = [...read("../../../docs/client-errors.md").matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, code]) => code);
  expect(codes.length).toBeGreaterThan(20);
  expect(rows.sort()).toEqual(codes.sort());
});
