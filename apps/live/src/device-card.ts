import type { Device, DeviceStatus } from "./device-registry.ts";
import { element, setText } from "./dom.ts";
import { formatTime } from "./format-time.ts";
import { limits } from "./limits.ts";
import { MetricChart, type TimeWindow } from "./metric-chart.ts";
import { compareMetrics } from "./metrics.ts";
import { shownText } from "./shown-text.ts";

/** What may still be done before the page has to be shown. */
export interface PaintBudget {
  newCharts: number;
}

/** Sends a command to a device. */
export type SendCommand = (deviceId: string, command: string, payload: string) => void;

/** The card of one device: status, charts, and two commands. */
export class DeviceCard {
  readonly root: HTMLElement;
  readonly #device: Device;
  readonly #status: HTMLElement;
  readonly #statusText: HTMLElement;
  readonly #grid: HTMLElement;
  readonly #start = element("span");
  readonly #end = element("span");
  readonly #commands: HTMLFieldSetElement;
  readonly #charts = new Map<string, MetricChart>();
  readonly #leftOut = element("p", { class: "hint metrics-left-out", hidden: true });
  readonly #touched = new Set<string>();

  constructor(device: Device, send: SendCommand) {
    this.#device = device;
    this.#statusText = element("span");
    this.#status = element(
      "p",
      { class: "pill device-status" },
      element("span", { class: "dot", "aria-hidden": "true" }),
      this.#statusText,
    );
    this.#grid = element("div", { class: "metric-grid" });
    this.#commands = commands(device.id, send);
    const name = shownText(device.id, limits.shownName);
    const title = element("h3", { class: "device-name" }, name);
    this.root = element(
      "article",
      { class: "card device-card", "data-device": device.id, "aria-label": `Device ${name}` },
      element("header", { class: "device-head" }, title, this.#status),
      this.#grid,
      this.#leftOut,
      element("p", { class: "time-scale", "aria-hidden": "true" }, this.#start, this.#end),
      this.#commands,
    );
    this.updateStatus();
  }

  updateStatus(): void {
    const { status } = this.#device;
    this.root.dataset.status = status;
    this.#status.dataset.status = status;
    this.#statusText.textContent = STATUS_TEXT[status];
    this.#commands.disabled = status === "offline";
  }

  /** A metric has a new value, to be drawn at the next `paint`. */
  touch(metric: string): void {
    this.#touched.add(metric);
  }

  /** Draws what has changed, and moves the charts that are seen on to now. Makes as many new ones as `budget` allows. */
  paint(nowSeconds: number, budget: PaintBudget): void {
    const window = this.#window(nowSeconds);
    for (const name of this.#touched) {
      const series = this.#device.metrics.get(name);
      if (series !== undefined && !this.#charts.has(name)) {
        if (budget.newCharts <= 0) {
          continue;
        }
        budget.newCharts -= 1;
        this.#add(name, new MetricChart(name, series));
      }
      this.#touched.delete(name);
      this.#charts.get(name)?.update();
    }
    this.#showLeftOut();
    if (window === undefined) {
      return;
    }
    for (const chart of this.#charts.values()) {
      chart.paint(window);
    }
    const offline = this.#device.status === "offline";
    setText(this.#start, `${formatSpan(window.end - window.start)} ${offline ? "before" : "ago"}`);
    setText(this.#end, offline ? `last at ${formatTime(window.end * 1000)}` : "now");
  }

  recolor(): void {
    for (const chart of this.#charts.values()) {
      chart.recolor();
    }
  }

  destroy(): void {
    for (const chart of this.#charts.values()) {
      chart.destroy();
    }
    this.root.remove();
  }

  /** Up to two minutes; a device that is offline stays at its last figures. Undefined before the first. */
  #window(nowSeconds: number): TimeWindow | undefined {
    const all = [...this.#device.metrics.values()];
    const first = Math.min(...all.map(({ times }) => times[0] ?? Number.POSITIVE_INFINITY));
    const last = Math.max(...all.map(({ times }) => times.at(-1) ?? Number.NEGATIVE_INFINITY));
    if (!Number.isFinite(first)) {
      return undefined;
    }
    const end = this.#device.status === "offline" ? last : nowSeconds;
    return { start: end - Math.min(MAX_SPAN_SECONDS, Math.max(MIN_SPAN_SECONDS, end - first)), end };
  }

  #showLeftOut(): void {
    const { metricsLeftOut } = this.#device;
    const none = metricsLeftOut.size === 0;
    this.#leftOut.hidden = none;
    setText(this.#leftOut, none ? "" : `${metricsLeftOut} more metrics not shown`);
  }

  #add(name: string, chart: MetricChart): void {
    const next = [...this.#charts.keys()].sort(compareMetrics).find((other) => compareMetrics(name, other) < 0);
    this.#grid.insertBefore(chart.root, next === undefined ? null : (this.#charts.get(next)?.root ?? null));
    this.#charts.set(name, chart);
  }
}

const STATUS_TEXT: Readonly<Record<DeviceStatus, string>> = {
  online: "Online",
  offline: "Offline",
  unknown: "No status",
};

// A new device's first figures fill the chart, which then widens to its full span.
const MIN_SPAN_SECONDS = 15;
const MAX_SPAN_SECONDS = 120;

/** Of labels and what they belong to: a device's name may be anything. */
let nextId = 0;

const INTERVALS_SECONDS = ["0.5", "1", "2", "5", "10"];

function formatSpan(seconds: number): string {
  return seconds >= MAX_SPAN_SECONDS ? "2 min" : `${Math.round(seconds)} s`;
}

function commands(deviceId: string, send: SendCommand): HTMLFieldSetElement {
  nextId += 1;
  const intervalId = `interval-${nextId}`;
  const name = shownText(deviceId, limits.shownName);
  const interval = element(
    "select",
    { id: intervalId },
    ...INTERVALS_SECONDS.map((seconds) =>
      element("option", { value: seconds, selected: seconds === "1" }, `${seconds} s`),
    ),
  );
  interval.addEventListener("change", () => send(deviceId, "interval", interval.value));
  const test = element("button", { type: "button", class: "quiet" }, "Test alert");
  test.addEventListener("click", () => send(deviceId, "alert-test", `Test alert from ${name}`));
  return element(
    "fieldset",
    { class: "device-commands", "aria-label": `Commands for ${name}` },
    element("label", { for: intervalId }, "Publish every"),
    interval,
    test,
  );
}
