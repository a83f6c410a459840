import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { playSeed } from "../src/run.ts";
import { saboteurs } from "../src/saboteurs.ts";
import { schedule } from "../src/schedule.ts";
import { shrink } from "../src/shrink.ts";

const SEEDS = 2000;
/** A saboteur that lives through this many seeds counts as not noticed. */
const PATIENCE = 1000;

test(`${SEEDS} seeds hold every invariant`, { timeout: 120_000 }, () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const error = playSeed(seed);
    if (error !== undefined) {
      throw new Error(`seed ${seed} (pnpm sim --seeds 1 --start ${seed})`, { cause: error });
    }
  }
});

test("a seed gives the same run every time", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    expect(schedule(seed)).toEqual(schedule(seed));
  }
  const sabotage = saboteurs[0];
  const outcomes = (): (string | undefined)[] =>
    Array.from({ length: 50 }, (_, seed) => playSeed(seed, sabotage)?.message);
  expect(outcomes()).toEqual(outcomes());
});

describe("the simulation notices a session that", () => {
  test("is one of as many broken ones as the README of session says", () => {
    const readme = readFileSync(new URL("../../../packages/session/README.md", import.meta.url), "utf8");
    expect(Number(readme.match(/(\d+) deliberately broken/)?.[1])).toBe(saboteurs.length);
  });

  test.each(saboteurs)("$name", { timeout: 60_000 }, (sabotage) => {
    let seed = 1;
    while (seed <= PATIENCE && playSeed(seed, sabotage) === undefined) {
      seed += 1;
    }
    expect(seed, "seeds until noticed").toBeLessThanOrEqual(PATIENCE);
  });
});

test("a failing seed shrinks to a few steps", () => {
  const sabotage = saboteurs.find(({ name }) => name === "forgets DUP when it sends again");
  let seed = 1;
  while (playSeed(seed, sabotage) === undefined) {
    seed += 1;
  }
  const { plan, error } = shrink(schedule(seed), sabotage);
  expect(plan.steps.length).toBeLessThanOrEqual(5);
  expect(error.message).toContain("DUP");
});
