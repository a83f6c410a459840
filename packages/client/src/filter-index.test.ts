import { matches } from "@tidewire/codec";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FilterIndex } from "./filter-index.ts";

const level = fc.constantFrom("a", "b", "", "$x");
const topics = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/") || "a");
const filters = fc
  .tuple(
    fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }),
    fc.constantFrom("", "/#"),
    fc.constantFrom("", "", "$share/g/", "$share/h/"),
  )
  .map(([levels, tail, share]) => share + (levels.join("/") || "a") + tail);

test("finds exactly the filters that match, whatever was added and removed", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), filters), { maxLength: 30 }),
      fc.array(topics, { minLength: 1, maxLength: 10 }),
      (changes, names) => {
        const index = new FilterIndex<string>();
        const expected = new Set<string>();
        for (const [add, filter] of changes) {
          if (add) index.set(filter, filter);
          else index.delete(filter);
          if (add) expected.add(filter);
          else expected.delete(filter);
          // Fills the memory of results, which the next change has to drop.
          index.match(names[0]!);
        }
        for (const name of names) {
          const want = [...expected].filter((filter) => matches(filter, name)).sort();
          expect([...index.match(name)].sort()).toEqual(want);
          expect([...index.match(name)].sort()).toEqual(want);
        }
        expect(index.size).toBe(expected.size);
      },
    ),
  );
});

test("'#' matches its parent and not topics of the server", () => {
  const index = new FilterIndex<string>();
  for (const filter of ["#", "a/#", "+/b", "$SYS/#"]) index.set(filter, filter);
  expect([...index.match("a")].sort()).toEqual(["#", "a/#"]);
  expect([...index.match("a/b")].sort()).toEqual(["#", "+/b", "a/#"]);
  expect(index.match("$SYS/b")).toEqual(["$SYS/#"]);
});

test("a topic of thousands of levels is matched without a deep filter being walked", () => {
  const index = new FilterIndex<string>();
  index.set("a/#", "a/#");
  expect(index.match(`a${"/b".repeat(30_000)}`)).toEqual(["a/#"]);
});
