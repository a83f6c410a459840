// What the benchmarks share: contenders that take turns, medians of several rounds, one table.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
/** @type {(options: { type: "minor" }) => void} */
const collectGarbage = runInNewContext("gc");

/** @typedef {{ name: string, unit: string, ours: number, peer: number | null, peerName: string | null, ratio: number | null }} Row */

/**
 * Runs contenders in turns, so that a busy moment of the machine hits all of them, and returns each one's median
 * operations per second of processor time. Each `run(count)` does the operation `count` times.
 * The first rounds do not count: code is not compiled yet, or compiled for what the row before gave it. Before a turn the
 * young garbage of the one before is collected, and a turn is long, so that each contender pays for its own garbage. All
 * garbage would be too much: engines forget what they learnt about objects of which none is left.
 *
 * @param {Record<string, (count: number) => void>} contenders
 * @param {{ rounds?: number, warmUpRounds?: number, turnMs?: number }} [options]
 * @returns {Record<string, number>}
 */
export function takeTurns(contenders, { rounds = 11, warmUpRounds = 3, turnMs = 100 } = {}) {
  const entries = Object.entries(contenders).map(([name, run]) => ({
    name,
    batch: { run, count: 1 },
    rates: /** @type {number[]} */ ([]),
  }));
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const { batch, rates } of entries) {
      collectGarbage({ type: "minor" });
      const rate = takeTurn(batch, turnMs);
      if (round >= 0) {
        rates.push(rate);
      }
    }
  }
  return Object.fromEntries(entries.map(({ name, rates }) => [name, median(rates)]));
}

/** A row of the result: ours against one peer (or against nobody). More is better for every unit here but sizes and times. */
export function row(name, unit, ours, peerName = null, peer = null) {
  return { name, unit, ours, peer, peerName, ratio: peer === null ? null : ours / peer };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** @param {Row[]} rows */
export function printRows(rows, { json }) {
  if (json) {
    console.log(JSON.stringify(rows, null, 1));
    return;
  }
  const cells = rows.map((r) => [
    r.name,
    readable(r.ours),
    r.unit,
    r.peerName === null ? "" : `${readable(r.peer)} ${r.peerName}`,
    r.ratio === null ? "" : `${r.ratio.toFixed(2)} x`,
  ]);
  console.log(`Node ${process.version}`);
  printTable(["what", "ours", "unit", "peer", "ratio"], cells);
}

/** What follows `name` on the command line. */
export function optionValue(options, name) {
  const index = options.indexOf(name);
  return index < 0 ? undefined : options[index + 1];
}

/** Prints columns, numbers to the right. */
export function printTable(heads, rows) {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((cells) => cells[i].length)));
  for (const cells of [heads, ...rows]) {
    const line = cells.map((cell, i) => (i === 1 || i === 4 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])));
    console.log(line.join("  ").trimEnd());
  }
}

function readable(value) {
  if (value >= 1e6) {
    return `${(value / 1e6).toFixed(2)} M`;
  }
  if (value >= 1e4) {
    return `${(value / 1e3).toFixed(1)} k`;
  }
  return value.toPrecision(4).replace(/\.0+$/, "");
}

/** Operations per second in `turnMs`, in batches that grow until asking for the time costs nothing beside them. */
function takeTurn(batch, turnMs) {
  const start = process.cpuUsage();
  for (let done = 0; ; ) {
    batch.run(batch.count);
    done += batch.count;
    // Processor time, so that other work on the machine counts for little.
    const { user, system } = process.cpuUsage(start);
    const elapsedMs = (user + system) / 1000;
    if (elapsedMs >= turnMs) {
      return (done / elapsedMs) * 1000;
    }
    if (elapsedMs < turnMs / 10) {
      batch.count *= 2;
    }
  }
}
