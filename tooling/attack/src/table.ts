import type { Result } from "./runner.ts";

/** The line of one result, and below it what went wrong. */
export function resultLines(result: Result): string {
  const { id, title, variant, verdict, reasons, notes, reading, canaries, tookMs } = result;
  const { transport, version, access, store } = variant;
  const on = `${transport} v${version} ${access ? "users" : "open"} ${store}`;
  const cells = [
    verdict.toUpperCase().padEnd(8),
    id.padEnd(6),
    cut(title, 52).padEnd(52),
    on.padEnd(22),
    number(reading?.loopCpuMs, "ms cpu", 6),
    number(reading?.blocks[0]?.workMs, "ms block", 5),
    memory(reading).padEnd(16),
    canaries === undefined ? "" : `p99 ${trips(canaries.before.tripsMs)} -> ${trips(canaries.during.tripsMs)} ms`,
    `${(tookMs / 1000).toFixed(1)} s`,
  ];
  const seen = notes.length === 0 ? [] : [`           seen: ${notes.join("; ")}`];
  const wrong = reasons.map((reason) => `           ! ${reason}`);
  return [
    cells.join(" "),
    ...(verdict === "held" ? [] : [`           expected: ${result.expected}`]),
    ...seen,
    ...wrong,
  ].join("\n");
}

export const HEADER = [
  "cpu: processor time of the broker's loop; block: its longest turn, in processor time without the collector's;",
  "MB: resident memory before, at its peak, after; p99: of the canaries' round trips, p50 / p99, before and during.",
].join("\n");

function trips({ p50, p99 }: { readonly p50: number; readonly p99: number }): string {
  return `${p50.toFixed(1)}/${p99.toFixed(1)}`;
}

function memory(reading: Result["reading"]): string {
  if (reading === undefined) {
    return "";
  }
  const mb = (bytes: number) => Math.round(bytes / 1024 / 1024);
  return `${mb(reading.rssBeforeBytes)}/${mb(reading.rssPeakBytes)}/${mb(reading.rssBytes)} MB`;
}

function number(value: number | undefined, unit: string, width: number): string {
  return value === undefined ? " ".repeat(width + 1 + unit.length) : `${value.toFixed(0).padStart(width)} ${unit}`;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
