import { matches } from "@tidewire/codec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FilterTree } from "./filter-tree.ts";

const level = fc.constantFrom("a", "b", "", "$x");
const topicName = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/") || "a");
const filter = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "", "+", "$x"), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, rest]) => (rest ? [...levels, "#"] : levels).join("/") || "#");

describe("FilterTree", () => {
  it("finds what the codec's `matches` finds, whatever came and went", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(filter, fc.boolean()), { maxLength: 40 }),
        fc.array(topicName),
        (changes, topics) => {
          const tree = new FilterTree<string>();
          const naive = new Set<string>();
          for (const [text, add] of changes) {
            if (add) {
              tree.set(text, text);
              naive.add(text);
            } else {
              expect(tree.delete(text)).toBe(naive.delete(text));
            }
            expect(tree.get(text)).toBe(naive.has(text) ? text : undefined);
          }
          expect(tree.size).toBe(naive.size);
          for (const topic of topics) {
            expect(tree.match(topic, { left: 0 }).sort()).toEqual(
              [...naive].filter((text) => matches(text, topic)).sort(),
            );
          }
        },
      ),
    );
  });

  it("leaves nothing behind of filters that are gone", () => {
    const tree = new FilterTree<number>();
    for (let round = 0; round < 1000; round += 1) {
      tree.set(`${round}/+/deep/#`, round);
      tree.delete(`${round}/+/deep/#`);
    }
    expect(tree.size).toBe(0);
    expect(tree.match("7/x/deep/y", { left: 0 })).toEqual([]);
  });

  // field-failures.md: work bounded by what was sent, not by what was looked at.
  it("counts what it looks at, whether it matches or not", () => {
    const tree = new FilterTree<string>();
    for (const filter of ["a/+/x", "a/+/y", "+/b/x", "b/+/x"]) {
      tree.set(filter, filter);
    }
    const steps = { left: 100 };
    expect(tree.match("a/b/z", steps)).toEqual([]);
    // The root; `a`, `a/+`; `+`, `+/b`.
    expect(steps.left).toBe(95);
  });

  it("walks as deep as topics go", () => {
    const tree = new FilterTree<string>();
    const deep = Array(128).fill("+").join("/");
    tree.set(deep, deep);
    expect(tree.match(Array(128).fill("a").join("/"), { left: 0 })).toEqual([deep]);
  });
});
