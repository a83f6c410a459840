import type { Device, DeviceStatus } from "./device-registry.ts";
import { element } from "./dom.ts";
import { MetricChart } from "./metric-chart.ts";
import { compareMetrics } from "./metrics.ts";

/** Sends a command to a device. */
export type SendCommand = (deviceId: string, command: string, payload: string) => void;

/** The card of one device: status, charts, and two commands. */
export class DeviceCard {
  readonly root: HTMLElement;
  readonly #device: Device;
  readonly #status: HTMLElement;
  readonly #statusText: HTMLElement;
  readonly #grid: HTMLElement;
  readonly #charts = new Map<string, MetricChart>();

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
    const title = element("h3", { class: "device-name" }, device.id);
    this.root = element(
      "article",
      { class: "card device-card", "data-device": device.id, "aria-label": `Device ${device.id}` },
      element("header", { class: "device-head" }, title, this.#status),
      this.#grid,
      element(
        "p",
        { class: "time-scale", "aria-hidden": "true" },
        element("span", {}, "2 min ago"),
        element("span", {}, "now"),
      ),
      commands(device.id, send),
    );
    this.updateStatus();
  }

  updateStatus(): void {
    const { status } = this.#device;
    this.root.dataset.status = status;
    this.#status.dataset.status = status;
    this.#statusText.textContent = STATUS_TEXT[status];
  }

  /** Draws every chart as of now; makes those that are new. */
  paint(nowSeconds: number): void {
    for (const [name, series] of this.#device.metrics) {
      if (!this.#charts.has(name)) this.#add(name, new MetricChart(name, series));
    }
    for (const chart of this.#charts.values()) chart.paint(nowSeconds);
  }

  recolor(): void {
    for (const chart of this.#charts.values()) chart.recolor();
  }

  destroy(): void {
    for (const chart of this.#charts.values()) chart.destroy();
    this.root.remove();
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

const INTERVALS_SECONDS = ["0.5", "1", "2", "5", "10"];

function commands(deviceId: string, send: SendCommand): HTMLElement {
  const intervalId = `interval-${deviceId}`;
  const interval = element(
    "select",
    { id: intervalId },
    ...INTERVALS_SECONDS.map((seconds) =>
      element("option", { value: seconds, selected: seconds === "1" }, `${seconds} s`),
    ),
  );
  interval.addEventListener("change", () => send(deviceId, "interval", interval.value));
  const test = element("button", { type: "button", class: "quiet" }, "Test alert");
  test.addEventListener("click", () => send(deviceId, "alert-test", `Test alert from ${deviceId}`));
  return element(
    "div",
    { class: "device-commands" },
    element("label", { for: intervalId }, "Publish every"),
    interval,
    test,
  );
}
