import { describe, expect, test } from "vitest";
import { instrument } from "../mutants.js";
import { report } from "../report.js";
import { sampleOf } from "../sample.js";
import { Switch } from "../switch.js";

/** What the code gives with one mutant on, or with none. */
function run(code: string, on = -1): unknown {
  const instrumented = instrument(code, "a.js", 0).code;
  (globalThis as { __mutants?: unknown }).__mutants = { at: (id: number) => id === on };
  try {
    return new Function(`${instrumented}\nreturn result;`)();
  } finally {
    delete (globalThis as { __mutants?: unknown }).__mutants;
  }
}

const changes = (code: string) =>
  instrument(code, "a.ts", 0).mutants.map(({ before, after }) => `${before} -> ${after}`);

describe("instrument", () => {
  const code = `
    function f(a, b) {
      let sum = a + b * 2;
      if (!(a < b) && b > 0) {
        sum += 1;
      }
      return sum;
    }
    const result = [f(1, 2), f(2, 1), f(3, 3)].join();`;

  test("with no mutant on, the code does what it did", () => {
    expect(run(code)).toBe("5,5,10");
  });

  test("each mutant alone changes what the code does", () => {
    const { mutants } = instrument(code, "a.js", 0);
    const same = mutants.filter((_mutant, id) => run(code, id) === run(code));
    // No call has b equal to 0; every other change shows.
    expect(same.map(({ before, after }) => `${before} -> ${after}`)).toEqual(["b > 0 -> ((b) >= (0))"]);
    expect(mutants.length).toBeGreaterThan(15);
  });

  test("types, imports and messages are left alone", () => {
    expect(changes('import { a } from "./1.ts"; type A = 1 | 2; interface B { c: 3 } const text = "a" + b;')).toEqual(
      [],
    );
  });

  test("lines stay where they are", () => {
    const { code: after, mutants } = instrument("// first\nconst a = 1;\n\nconst b = 2;\n", "a.ts", 7);
    expect(mutants.map(({ line }) => line)).toEqual([2, 4]);
    expect(after.split("\n")).toHaveLength(5);
    expect(after).toContain("__mutant(7)");
  });
});

test("a sample is the same for the same seed, and without repetition", () => {
  expect(sampleOf(1_000, 50, 3)).toEqual(sampleOf(1_000, 50, 3));
  expect(sampleOf(1_000, 50, 3)).not.toEqual(sampleOf(1_000, 50, 4));
  expect(new Set(sampleOf(100, 100, 1)).size).toBe(100);
  expect(sampleOf(3, 10, 1)).toEqual([0, 1, 2]);
});

test("a mutant that runs in circles is stopped by counting", () => {
  const mutants = new Switch();
  mutants.turnOn(1, 10);
  expect(() => {
    while (!mutants.at(0)) {}
  }).toThrow("mutant 1 runs in circles");
  expect(mutants.ranInCircles).toBe(true);
});

test("the report tells what each mutant came to", () => {
  const mutants = Array.from({ length: 5 }, (_, line) => ({ file: "a.ts", line, kind: "k", before: "b", after: "a" }));
  const entries = [
    { kind: "at import", ids: [3] },
    { kind: "reached", ids: [0, 1], file: "one" },
    { kind: "killed", id: 0 },
    { kind: "survived here", id: 1, file: "one" },
    { kind: "slow", covered: [4] },
  ];
  const { killed, judged, survivors } = report({ name: "p", mutants, chosen: [0, 1, 2, 3, 4], entries, seed: 1 });
  expect([killed, judged]).toEqual([1, 3]);
  expect(survivors.map(({ line }: { line: number }) => line)).toEqual([1, 2]);
  // Another file comes by the survivor and has not tried it; or no time is left for files that might.
  for (const more of [{ kind: "reached", ids: [1], file: "two" }, { kind: "out of time" }]) {
    const later = report({ name: "p", mutants, chosen: [0, 1], entries: [...entries, more], seed: 1 });
    expect(later).toMatchObject({ killed: 1, judged: 1, survivors: [] });
  }
});
