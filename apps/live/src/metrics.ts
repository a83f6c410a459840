/** How a metric is shown. */
export interface MetricStyle {
  readonly label: string;
  readonly unit: string;
  /** Fixed top of the scale; without one it follows the values. */
  readonly max?: number;
  /** CSS custom property of its colour. */
  readonly color: string;
  /** `wide` metrics come first and are given more room. */
  readonly wide: boolean;
}

/** The device agent's metrics are known by name; any other is shown under its own name, without a unit. */
export function metricStyle(name: string): MetricStyle {
  return STYLES.get(name) ?? { label: name, unit: "", color: "--series-other", wide: false };
}

/** Where a metric stands on its card: known ones in their order, then the others by name. */
export function compareMetrics(a: string, b: string): number {
  return order(a) - order(b) || a.localeCompare(b);
}

/** Three significant digits, so that the width hardly changes; thousands are grouped, and what is larger is short. */
export function formatValue(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) {
    return value.toExponential(2);
  }
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const STYLES: ReadonlyMap<string, MetricStyle> = new Map([
  ["cpu", { label: "CPU", unit: "%", max: 100, color: "--series-cpu", wide: true }],
  ["memory", { label: "Memory", unit: "%", max: 100, color: "--series-memory", wide: true }],
  ["load", { label: "Load, 1 min", unit: "", color: "--series-load", wide: false }],
  ["network-in", { label: "Network in", unit: "kB/s", color: "--series-in", wide: false }],
  ["network-out", { label: "Network out", unit: "kB/s", color: "--series-out", wide: false }],
]);

const NAMES = [...STYLES.keys()];

function order(name: string): number {
  const index = NAMES.indexOf(name);
  return index === -1 ? NAMES.length : index;
}
