import { readFileSync } from "node:fs";
import { DEFAULT_LIMITS } from "@tidewire/broker";
import { expect, it } from "vitest";
import { ATTACKS } from "../src/catalogue.ts";

/*
 * docs/security-model.md says what holds: its table has every limit with its default, and the attacks it names exist.
 */

const text = readFileSync(new URL("../../../docs/security-model.md", import.meta.url), "utf8");

it.each(Object.entries(DEFAULT_LIMITS))("has a row for the limit %s with its default", (name, value) => {
  const row = text.split("\n").find((line) => line.startsWith(`| \`${name}\` |`));
  expect(
    row,
    `docs/security-model.md has no row for ${name}: add one with its default and what it bounds`,
  ).toBeDefined();
  const [, , shown = ""] = row?.split("|").map((cell) => cell.trim()) ?? [];
  // What depends on the machine is told in words.
  if (name !== "memoryBytes") {
    expect(shown).toBe(typeof value === "number" ? value.toLocaleString("en-US") : String(value));
  }
});

it("has rows for no other limits", () => {
  const rows = text.split("\n").flatMap((line) => /^\| `(\w+)` \|/.exec(line)?.[1] ?? []);
  expect(rows.filter((name) => !Object.hasOwn(DEFAULT_LIMITS, name))).toEqual([]);
});

it("names attacks that there are", () => {
  const ids = new Set(ATTACKS.map(({ id }) => id));
  const cited = [...text.matchAll(/\[([A-Z\d][\d., A-Z-]*)\](?!\()/g)].flatMap(([, list = ""]) => list.split(", "));
  expect(cited.length).toBeGreaterThan(40);
  const missing = cited.flatMap((each) => each.split("-")).filter((id) => !ids.has(id));
  expect(missing).toEqual([]);
});
