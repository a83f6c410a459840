import { matches } from "@tidewire/codec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TopicTree, type TopicWalk } from "./topic-tree.ts";

const level = fc.constantFrom("a", "b", "", "$x");
const topicName = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/") || "a");
const filter = fc
  .tuple(fc.array(fc.constantFrom("a", "b", "", "+", "$x"), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, rest]) => (rest ? [...levels, "#"] : levels).join("/") || "#");

/** In slices of `left` steps. */
function all<Value>(walk: TopicWalk<Value>, left: number): Value[] {
  const values: Value[] = [];
  while (!walk.done) {
    const steps = { left };
    const value = walk.next(steps);
    if (value !== undefined) {
      values.push(value);
    } else if (!walk.done) {
      expect(steps.left).toBeLessThanOrEqual(0);
    }
  }
  return values;
}

describe("TopicTree", () => {
  it("finds what the codec's `matches` finds, whatever came and went, in slices of any size", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(topicName, fc.boolean()), { maxLength: 40 }),
        fc.array(filter),
        fc.integer({ min: 1, max: 20 }),
        (changes, filters, left) => {
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
            const found = all(tree.match(text), left).sort();
            expect(found).toEqual([...naive].filter((topic) => matches(text, topic)).sort());
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
    const walk = tree.match("t/+");
    for (let index = walk.next({ left: 1000 }); index !== undefined; index = walk.next({ left: 1000 })) {
      found.push(index);
      tree.delete(`t/${index + 1}`);
    }
    expect(found).toEqual(Array.from({ length: 50 }, (_, index) => 2 * index));
  });

  // Attack 40 and field-failures.md: filters that match nothing cost what they look at.
  it.each(["+/+/x", "+/a/+/x", "+"])("looks at no more than the steps allow: %s", (text) => {
    const tree = new TopicTree<string>();
    for (let index = 0; index < 1000; index += 1) {
      tree.set(`${index}/a/b`, `${index}`);
      tree.set(`$hidden${index}`, "never");
    }
    const walk = tree.match(text);
    let slices = 0;
    let looked = 0;
    while (!walk.done) {
      const steps = { left: 50 };
      const found = walk.next(steps);
      expect(steps.left).toBeGreaterThanOrEqual(50 - 50 - 4);
      looked += 50 - steps.left;
      slices += found === undefined ? 1 : 0;
    }
    expect(looked).toBeGreaterThan(2000);
    expect(slices).toBeGreaterThan(20);
  });
});
