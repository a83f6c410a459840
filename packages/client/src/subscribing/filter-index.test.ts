import { matches } from "@tidewire/codec";
import fc from "fast-check";
import { expect, test } from "vitest";
import { FilterIndex, filterShape, type Shaped } from "./filter-index.ts";

const level = fc.constantFrom("a", "b", "", "$x");
const topics = fc
  .tuple(fc.constantFrom("", "", "$share/g/"), fc.array(level, { minLength: 1, maxLength: 4 }))
  .map(([share, levels]) => share + (levels.join("/") || "a"));
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
        const index = new FilterIndex<Shaped>();
        const expected = new Set<string>();
        for (const [add, filter] of changes) {
          const entry = index.get(filter);
          expect(entry?.filter).toBe(expected.has(filter) ? filter : undefined);
          if (add && entry === undefined) {
            index.add(shapedEntry(filter));
          } else if (!add && entry !== undefined) {
            index.delete(entry);
          }
          if (add) {
            expected.add(filter);
          } else {
            expected.delete(filter);
          }
          // Fills the memory of results, which the next change has to drop.
          index.match(names[0]!);
        }
        for (const name of names) {
          const want = [...expected].filter((filter) => matches(filter, name)).sort();
          expect(matching(index, name)).toEqual(want);
          expect(matching(index, name)).toEqual(want);
        }
        expect(
          index
            .values()
            .map(({ filter }) => filter)
            .sort(),
        ).toEqual([...expected].sort());
      },
    ),
  );
});

test("'#' matches its parent and not topics of the server", () => {
  const index = indexOf("#", "a/#", "+/b", "$SYS/#");
  expect(matching(index, "a")).toEqual(["#", "a/#"]);
  expect(matching(index, "a/b")).toEqual(["#", "+/b", "a/#"]);
  expect(matching(index, "$SYS/b")).toEqual(["$SYS/#"]);
});

test("an empty level at the end is a level", () => {
  expect(matching(indexOf("+", "+/", "a/", "a"), "a/")).toEqual(["+/", "a/"]);
});

test("a topic of thousands of levels is matched", () => {
  expect(matching(indexOf("a/#"), `a${"/b".repeat(30_000)}`)).toEqual(["a/#"]);
});

function indexOf(...filters: readonly string[]): FilterIndex<Shaped> {
  const index = new FilterIndex<Shaped>();
  for (const filter of filters) {
    index.add(shapedEntry(filter));
  }
  return index;
}

function shapedEntry(filter: string): Shaped {
  return { filter, shape: filterShape(filter) };
}

function matching(index: FilterIndex<Shaped>, topic: string): readonly string[] {
  return index
    .match(topic)
    .map(({ filter }) => filter)
    .sort();
}
