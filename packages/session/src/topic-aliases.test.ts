import fc from "fast-check";
import { expect, test } from "vitest";
import { OutgoingAliases } from "./topic-aliases.ts";

test("the alias least recently used gives way, as in a list kept in order", () => {
  const topic = fc.integer({ min: 0, max: 9 }).map((n) => `topic/${n}`);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(topic, { maxLength: 200 }), (maximum, topics) => {
      const aliases = new OutgoingAliases(maximum);
      /** Topic and alias, oldest first. */
      let model: (readonly [topic: string, alias: number])[] = [];
      for (const next of topics) {
        const known = model.find(([topic]) => topic === next);
        expect(aliases.find(next)).toBe(known?.[1] ?? 0);
        const alias = known?.[1] ?? (model.length < maximum ? model.length + 1 : (model[0]?.[1] as number));
        if (known === undefined) {
          expect(aliases.candidate(next)).toBe(alias);
          aliases.assign(alias, next);
        }
        model = [...model.filter(([, taken]) => taken !== alias), [next, alias]];
      }
    }),
  );
});

test("short topics get none, nor does any when there is no room", () => {
  expect(new OutgoingAliases(5).candidate("abc")).toBe(0);
  expect(new OutgoingAliases(0).candidate("a/long/topic")).toBe(0);
});
