import { matches } from "@tidewire/codec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TopicTree } from "../retained/index.ts";
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
            expect(tree.match(topic).sort()).toEqual([...naive].filter((text) => matches(text, topic)).sort());
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
    expect(tree.match("7/x/deep/y")).toEqual([]);
  });

  it("walks as deep as topics go", () => {
    const tree = new FilterTree<string>();
    const deep = Array(128).fill("+").join("/");
    tree.set(deep, deep);
    expect(tree.match(Array(128).fill("a").join("/"))).toEqual([deep]);
  });
});

describe("TopicTree", () => {
  it("finds what the codec's `matches` finds, whatever came and went", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(topicName, fc.boolean()), { maxLength: 40 }),
        fc.array(filter),
        (changes, filters) => {
          const tree = new TopicTree<string>();
          const naive = new Set<string>();
          for (const [topic, add] of changes) {
            if (add) {
              tree.set(topic, topic);
              naive.add(topic);
            } else {
              expect(tree.delete(topic)).toBe(naive.delete(topic));
            }
          }
          expect([...tree.values()].sort()).toEqual([...naive].sort());
          for (const text of filters) {
            expect([...tree.match(text)].sort()).toEqual([...naive].filter((topic) => matches(text, topic)).sort());
          }
        },
      ),
    );
  });

  it("goes on when the tree changes under a search", () => {
    const tree = new TopicTree<number>();
    for (let index = 0; index < 100; index += 1) {
      tree.set(`t/${index}`, index);
    }
    const found: number[] = [];
    for (const index of tree.match("t/+")) {
      found.push(index);
      tree.delete(`t/${index + 1}`);
    }
    expect(found).toEqual(Array.from({ length: 50 }, (_, index) => 2 * index));
  });
});
