// `pnpm bench gate --against DIR`: this checkout's broker beside that of another checkout, which has been built, in turns: one
// round of each row at one, then at the other, and the ratio of the two. Prints the median of the ratios with its 95 %
// interval, from the rounds drawn anew a thousand times, and fails where even the upper end is a loss of more than 3 %.
// Options: --rounds N (default 9), --only TEXT (rows whose name has it), --seed N.

import { resolve } from "node:path";
import { pinLoadGenerator, startTidewire } from "./broker/servers.js";
import { measurements } from "./broker.js";
import { median, optionValue } from "./measure.js";

const TOLERATED = 0.97;
const SAMPLES = 1000;

/** @param {{ options: readonly string[] }} settings */
export async function run({ options }) {
  const against = optionValue(options, "--against");
  if (against === undefined) {
    throw new Error("bench gate needs --against DIR: another checkout of this repository, which has been built");
  }
  const rounds = Number(optionValue(options, "--rounds") ?? 9);
  const only = optionValue(options, "--only") ?? "";
  const random = seeded(Number(optionValue(options, "--seed") ?? 1));
  pinLoadGenerator();
  const before = await startTidewire(undefined, { name: "before", checkout: resolve(against) });
  const now = await startTidewire(undefined, { name: "now" });
  try {
    const rows = [];
    for (const { name, unit, run, fresh } of measurements.filter(
      (each) => each.name.includes(only) && each.unit !== "bytes",
    )) {
      const ratios = [];
      const figures = { now: [], before: [] };
      for (let round = 0; round < rounds; round += 1) {
        for (const server of round % 2 === 0 ? [before, now] : [now, before]) {
          if (fresh || server.exited) {
            await server.restart();
          }
          figures[server.name].push(await run(server));
        }
        ratios.push(figures.now.at(-1) / figures.before.at(-1));
      }
      const [low, high] = interval(ratios, random);
      const verdict = high < TOLERATED ? "LOSS" : "ok";
      console.error(`${name}: ${median(ratios).toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}) ${verdict}`);
      rows.push({
        name,
        unit,
        ours: median(figures.now),
        peer: median(figures.before),
        peerName: "before",
        ratio: median(ratios),
      });
      if (high < TOLERATED) {
        process.exitCode = 1;
      }
    }
    return rows;
  } finally {
    for (const server of [before, now]) {
      server.stop();
    }
  }
}

/** Where the median lies in 95 of 100 draws. */
function interval(ratios, random) {
  const medians = Array.from({ length: SAMPLES }, () =>
    median(ratios.map(() => ratios[Math.floor(random() * ratios.length)])),
  ).sort((a, b) => a - b);
  return [medians[Math.floor(SAMPLES * 0.025)], medians[Math.floor(SAMPLES * 0.975)]];
}

/** mulberry32: small, and the same everywhere. */
function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
