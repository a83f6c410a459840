import { type MetricName, type Metrics, UNITS } from "./metrics.ts";

/** The payload of `alerts/<id>/<name>`, as JSON. */
export interface Alert {
  /** Unique: QoS 1 may deliver an alert twice, and a receiver knows it by this. */
  readonly id: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value?: number;
  readonly threshold?: number;
}

export type Thresholds = ReadonlyMap<MetricName, number>;

/**
 * Says once when a figure passes its threshold: again only after it has come down to nine tenths of it, and not within
 * half a minute, so that a figure that swings about its threshold does not flood anybody.
 */
export class AlertRules {
  readonly #thresholds: Thresholds;
  readonly #raised = new Map<MetricName, { above: boolean; atMs: number }>();

  constructor(thresholds: Thresholds) {
    this.#thresholds = thresholds;
  }

  /** The metrics that have just passed their thresholds. `nowMs` is monotonic. */
  check(metrics: Metrics, nowMs: number): { name: MetricName; value: number; threshold: number }[] {
    const passed: { name: MetricName; value: number; threshold: number }[] = [];
    for (const [name, threshold] of this.#thresholds) {
      const value = metrics.get(name);
      if (value === undefined) {
        continue;
      }
      const raised = this.#raised.get(name);
      if (raised?.above === true) {
        if (value <= threshold * REARM_SHARE) {
          raised.above = false;
        }
      } else if (value > threshold && (raised === undefined || nowMs - raised.atMs >= QUIET_MS)) {
        this.#raised.set(name, { above: true, atMs: nowMs });
        passed.push({ name, value, threshold });
      }
    }
    return passed;
  }
}

/** What people read about a figure that passed its threshold. */
export function alertText(name: MetricName, value: number, threshold: number): string {
  return `${name} at ${withUnit(name, value)}, above ${withUnit(name, threshold)}`;
}

const REARM_SHARE = 0.9;
const QUIET_MS = 30_000;

function withUnit(name: MetricName, value: number): string {
  return UNITS[name] === "" ? String(value) : `${value} ${UNITS[name]}`;
}
