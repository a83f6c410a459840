// What the benchmarks share: contenders that take turns, medians of several rounds, one table.

/** @typedef {{ name: string, unit: string, ours: number, peer: number | null, peerName: string | null, ratio: number | null }} Row */

/**
 * Runs contenders in turns, so that a busy moment of the machine hits all of them, and returns each one's median
 * operations per second of processor time. Each `run(count)` does the operation `count` times; counts are found so that
 * a turn takes about `turnMs`.
 *
 * @param {Record<string, (count: number) => void>} contenders
 * @param {{ rounds?: number, turnMs?: number }} [options]
 * @returns {Record<string, number>}
 */
export function takeTurns(contenders, { rounds = 7, turnMs = 60 } = {}) {
  const entries = Object.entries(contenders).map(([name, run]) => ({
    name,
    run,
    count: calibrate(run, turnMs),
    rates: /** @type {number[]} */ ([]),
  }));
  for (let round = 0; round < rounds; round++) {
    for (const entry of entries) entry.rates.push((entry.count / time(entry.run, entry.count)) * 1000);
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

/** Prints columns, numbers to the right. */
export function printTable(heads, rows) {
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((cells) => cells[i].length)));
  for (const cells of [heads, ...rows]) {
    const line = cells.map((cell, i) => (i === 1 || i === 4 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])));
    console.log(line.join("  ").trimEnd());
  }
}

function readable(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 1e4) return `${(value / 1e3).toFixed(1)} k`;
  return value.toPrecision(4).replace(/\.0+$/, "");
}

function calibrate(run, turnMs) {
  // The first calls also warm the code up, so they are many before they count.
  let count = 1;
  while (time(run, count) < turnMs / 4) count *= 2;
  const elapsed = time(run, count);
  return Math.max(1, Math.round((count * turnMs) / elapsed));
}

/** Milliseconds of processor time, so that other work on the machine counts for little. */
function time(run, count) {
  const start = process.cpuUsage();
  run(count);
  const { user, system } = process.cpuUsage(start);
  return Math.max(user + system, 1) / 1000;
}
