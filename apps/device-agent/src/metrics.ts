import { readFileSync } from "node:fs";
import { cpus, freemem, loadavg, totalmem } from "node:os";

/** What is published, one topic each: the name is the last level of `devices/<id>/metrics/<name>`. */
export type MetricName = (typeof METRIC_NAMES)[number];

/** Figures of one moment. A figure that this machine does not give is absent. */
export type Metrics = ReadonlyMap<MetricName, number>;

export const METRIC_NAMES = ["cpu", "memory", "load", "network-in", "network-out"] as const;

/** Of each metric, as shown to people. */
export const UNITS: Readonly<Record<MetricName, string>> = {
  cpu: "%",
  memory: "%",
  load: "",
  "network-in": "kB/s",
  "network-out": "kB/s",
};

/** Raw figures of the machine; counters only ever rise. */
export interface Machine {
  /** Monotonic milliseconds. */
  nowMs(): number;
  cpuTimes(): { readonly busyMs: number; readonly totalMs: number };
  memory(): { readonly usedBytes: number; readonly totalBytes: number };
  /** Of the last minute; undefined where the system keeps none. */
  load(): number | undefined;
  /** Over all interfaces but loopback; undefined where the system does not say. */
  networkBytes(): { readonly received: number; readonly sent: number } | undefined;
}

/** Turns counters into figures per interval. */
export class Sampler {
  readonly #machine: Machine;
  #previous: Counters;

  constructor(machine: Machine = thisMachine) {
    this.#machine = machine;
    this.#previous = readCounters(machine);
  }

  /** The figures now; rates are averages since the last call (or the construction). */
  sample(): Metrics {
    const machine = this.#machine;
    const previous = this.#previous;
    const current = readCounters(machine);
    this.#previous = current;

    const metrics = new Map<MetricName, number>();
    const set = (name: MetricName, value: number | undefined) => {
      if (value !== undefined && Number.isFinite(value)) {
        metrics.set(name, Math.round(value * 100) / 100);
      }
    };
    const cpuMs = current.cpu.totalMs - previous.cpu.totalMs;
    if (cpuMs > 0) {
      set("cpu", clampPercent(((current.cpu.busyMs - previous.cpu.busyMs) / cpuMs) * 100));
    }
    const { usedBytes, totalBytes } = machine.memory();
    set("memory", clampPercent((usedBytes / totalBytes) * 100));
    set("load", machine.load());
    if (previous.network !== undefined && current.network !== undefined) {
      // Bytes per millisecond are kilobytes per second. An interface that goes takes its count with it.
      const elapsedMs = current.atMs - previous.atMs;
      set("network-in", Math.max(0, current.network.received - previous.network.received) / elapsedMs);
      set("network-out", Math.max(0, current.network.sent - previous.network.sent) / elapsedMs);
    }
    return metrics;
  }
}

/** Sums the counters of `/proc/net/dev` over all interfaces but loopback. */
export function parseNetDev(text: string): { received: number; sent: number } {
  let received = 0;
  let sent = 0;
  for (const line of text.split("\n")) {
    const [name, counters] = line.split(":");
    if (name === undefined || counters === undefined || name.trim() === "lo") {
      continue;
    }
    const columns = counters.trim().split(/\s+/);
    received += Number(columns[0]);
    sent += Number(columns[8]);
  }
  return { received, sent };
}

/** The machine that this runs on. */
export const thisMachine: Machine = {
  nowMs: () => performance.now(),
  cpuTimes() {
    let idleMs = 0;
    let totalMs = 0;
    for (const { times } of cpus()) {
      idleMs += times.idle;
      totalMs += times.user + times.nice + times.sys + times.idle + times.irq;
    }
    return { busyMs: totalMs - idleMs, totalMs };
  },
  memory() {
    const totalBytes = totalmem();
    return { usedBytes: totalBytes - freemem(), totalBytes };
  },
  load: () => (process.platform === "win32" ? undefined : loadavg()[0]),
  networkBytes() {
    try {
      return parseNetDev(readFileSync("/proc/net/dev", "utf8"));
    } catch {
      return undefined; // only Linux has it
    }
  },
};

interface Counters {
  readonly atMs: number;
  readonly cpu: { readonly busyMs: number; readonly totalMs: number };
  readonly network: { readonly received: number; readonly sent: number } | undefined;
}

function readCounters(machine: Machine): Counters {
  return { atMs: machine.nowMs(), cpu: machine.cpuTimes(), network: machine.networkBytes() };
}

function clampPercent(value: number): number {
  return Math.min(100, Math.max(0, value));
}
