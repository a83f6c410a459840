import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { element, setText } from "./dom.ts";
import { formatTime } from "./format-time.ts";
import { limits } from "./limits.ts";
import { formatValue, type MetricStyle, metricStyle } from "./metrics.ts";
import { shownText } from "./shown-text.ts";
import { themeColor } from "./theme.ts";
import type { TimeSeries } from "./time-series.ts";
import { watchVisibility } from "./visibility.ts";

/** What part of the past a chart shows, in seconds since 1970. */
export interface TimeWindow {
  readonly start: number;
  readonly end: number;
}

/** One metric: its name, the latest value, and a chart of those before. */
export class MetricChart {
  readonly root: HTMLElement;
  readonly #series: TimeSeries;
  readonly #style: MetricStyle;
  readonly #value: HTMLElement;
  readonly #moment: HTMLElement;
  readonly #plotRoot: HTMLElement;
  readonly #observer: ResizeObserver;
  readonly #unwatch: () => void;
  #plot: uPlot | undefined;
  #window: TimeWindow = { start: 0, end: 1 };

  constructor(name: string, series: TimeSeries) {
    this.#series = series;
    this.#style = metricStyle(name);
    this.#value = element("span", { class: "metric-number" }, "–");
    this.#moment = element("span", { class: "metric-moment" });
    this.#plotRoot = element("div", { class: "metric-plot", role: "img" });
    this.root = element(
      "div",
      { class: this.#style.wide ? "metric wide" : "metric", "data-metric": name },
      element(
        "p",
        { class: "metric-head" },
        element("span", { class: "metric-label" }, shownText(this.#style.label, limits.shownName), this.#moment),
        element("span", { class: "metric-value" }, this.#value, element("span", { class: "unit" }, this.#style.unit)),
      ),
      this.#plotRoot,
    );
    this.root.style.setProperty("--series", `var(${this.#style.color})`);
    // uPlot needs pixels; it is made when the box has some.
    this.#observer = new ResizeObserver(() => this.#resize());
    this.#unwatch = watchVisibility(this.root, (visible) => this.#show(visible));
  }

  /** Says what the latest value is. */
  update(): void {
    const { last } = this.#series;
    if (last === undefined) {
      return;
    }
    const { label, unit } = this.#style;
    const text = `${shownText(label, limits.shownName)}: ${formatValue(last)} ${unit}`.trimEnd();
    this.#plotRoot.setAttribute("aria-label", text);
    this.#showValue();
  }

  /** Draws what the series holds now, where it is seen. */
  paint(window: TimeWindow): void {
    this.#window = window;
    this.#plot?.setData([this.#series.times, this.#series.values], false);
    this.#plot?.setScale("x", { min: window.start, max: window.end });
  }

  /** Draws again in the colours of a changed theme. */
  recolor(): void {
    this.#plot?.redraw(false, true);
  }

  destroy(): void {
    this.#unwatch();
    this.#show(false);
  }

  /** A canvas costs hundreds of kilobytes: those that nobody sees are given back. */
  #show(visible: boolean): void {
    if (visible) {
      this.#observer.observe(this.#plotRoot);
      return;
    }
    this.#observer.disconnect();
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  /** The latest value, or the one under the pointer with its time. */
  #showValue(): void {
    const { times, values, last } = this.#series;
    const pointed = this.#plot?.cursor.idx ?? undefined;
    const time = pointed === undefined ? undefined : times[pointed];
    const value = (pointed === undefined ? undefined : values[pointed]) ?? last;
    setText(this.#value, value === undefined ? "–" : formatValue(value));
    setText(this.#moment, time === undefined ? "" : ` · ${formatTime(time * 1000)}`);
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#plotRoot;
    if (width === 0 || height === 0) {
      return;
    }
    if (this.#plot === undefined) {
      this.#plot = this.#makePlot(width, height);
    } else {
      this.#plot.setSize({ width, height });
    }
    this.paint(this.#window);
  }

  #makePlot(width: number, height: number): uPlot {
    const { color, max } = this.#style;
    const options: uPlot.Options = {
      width,
      height,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7, fill: () => themeColor(color) } },
      hooks: { setCursor: [() => this.#showValue()] },
      padding: [7, 2, 7, 0],
      scales: { x: { time: true }, y: { range: (_plot, _low, high) => [0, max ?? roundUp(high)] } },
      axes: [
        { show: false },
        {
          side: 3,
          size: 34,
          gap: 4,
          font: "11px system-ui, sans-serif",
          stroke: () => themeColor("--text-faint"),
          grid: { stroke: () => themeColor("--grid"), width: 1 },
          ticks: { show: false },
          splits: (_plot, _axis, low, high) => [low, (low + high) / 2, high],
          values: (_plot, splits) => splits.map(shortNumber),
        },
      ],
      series: [
        {},
        {
          stroke: () => themeColor(color),
          fill: (plot) => gradient(plot, themeColor(color)),
          width: 2,
          points: { show: false },
        },
      ],
    };
    return new uPlot(options, [[], []], this.#plotRoot);
  }
}

/** 1, 2 or 5 times a power of ten, at or above the highest value; an empty chart ends at 1. */
export function roundUp(high: number | null): number {
  if (high === null || !(high > 0)) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(high));
  const step = [1, 2, 5, 10].find((candidate) => candidate * power >= high) ?? 10;
  return step * power;
}

function shortNumber(value: number): string {
  return compact.format(value);
}

const compact = Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });

function gradient(plot: uPlot, color: string): CanvasGradient | string {
  const { top, height } = plot.bbox;
  if (!Number.isFinite(top + height)) {
    return "transparent";
  }
  const fill = plot.ctx.createLinearGradient(0, top, 0, top + height);
  fill.addColorStop(0, `${color}55`);
  fill.addColorStop(1, `${color}08`);
  return fill;
}
