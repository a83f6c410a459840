import { DistinctCount } from "./distinct-count.ts";
import { limits } from "./limits.ts";
import { TimeSeries } from "./time-series.ts";

/** What its retained status says; unknown until one has come. */
export type DeviceStatus = "online" | "offline" | "unknown";

/** One device, as its messages describe it. */
export interface Device {
  readonly id: string;
  status: DeviceStatus;
  readonly metrics: Map<string, TimeSeries>;
  /** Metrics that there is no room for. */
  readonly metricsLeftOut: DistinctCount;
}

/** What a message changed. */
export type DeviceChange =
  | { readonly kind: "added" | "removed"; readonly device: Device }
  | { readonly kind: "status"; readonly device: Device }
  | { readonly kind: "metric"; readonly device: Device; readonly name: string }
  /** There is no room for a device or metric. */
  | { readonly kind: "left-out"; readonly device: Device | undefined };

/** All devices, fed by `devices/<id>/status` and `devices/<id>/metrics/<name>`. */
export class DeviceRegistry {
  readonly devices: Map<string, Device> = new Map();
  /** Devices that there is no room for. */
  readonly leftOut: DistinctCount = new DistinctCount(limits.countedNames);

  /** Applies a message; says what it changed, in order. Anything that is not about a device changes nothing. */
  apply(topic: string, payload: string, nowSeconds: number): DeviceChange[] {
    const [root, id, kind, name, ...rest] = topic.split("/");
    if (root !== "devices" || id === undefined || id === "" || rest.length > 0) {
      return [];
    }
    if (kind === "status" && name === undefined) {
      return this.#status(id, payload);
    }
    if (kind === "metrics" && name !== undefined && name !== "") {
      return this.#metric(id, name, payload, nowSeconds);
    }
    return [];
  }

  #status(id: string, payload: string): DeviceChange[] {
    // An empty retained message takes the device off the broker, and so off the page.
    if (payload === "") {
      return this.#remove(id);
    }
    if (payload !== "online" && payload !== "offline") {
      return [];
    }
    const { device, changes } = this.#find(id);
    if (device === undefined) {
      return changes;
    }
    if (device.status !== payload) {
      device.status = payload;
      changes.push({ kind: "status", device });
    }
    return changes;
  }

  #metric(id: string, name: string, payload: string, nowSeconds: number): DeviceChange[] {
    const value = payload.trim() === "" ? Number.NaN : Number(payload);
    if (!(Math.abs(value) <= limits.metricValue)) {
      return [];
    }
    const { device, changes } = this.#find(id);
    if (device === undefined) {
      return changes;
    }
    let series = device.metrics.get(name);
    if (series === undefined) {
      if (device.metrics.size >= limits.metricsPerDevice) {
        device.metricsLeftOut.add(name);
        changes.push({ kind: "left-out", device });
        return changes;
      }
      series = new TimeSeries(limits.pointsPerMetric);
      device.metrics.set(name, series);
    }
    series.push(nowSeconds, value);
    changes.push({ kind: "metric", device, name });
    return changes;
  }

  #find(id: string): { device: Device | undefined; changes: DeviceChange[] } {
    const known = this.devices.get(id);
    if (known !== undefined) {
      return { device: known, changes: [] };
    }
    if (this.devices.size >= limits.devices) {
      this.leftOut.add(id);
      return { device: undefined, changes: [{ kind: "left-out", device: undefined }] };
    }
    const metricsLeftOut = new DistinctCount(limits.countedNames);
    const device: Device = { id, status: "unknown", metrics: new Map(), metricsLeftOut };
    this.devices.set(id, device);
    this.leftOut.delete(id);
    return { device, changes: [{ kind: "added", device }] };
  }

  #remove(id: string): DeviceChange[] {
    const device = this.devices.get(id);
    this.leftOut.delete(id);
    if (device === undefined) {
      return [];
    }
    this.devices.delete(id);
    return [{ kind: "removed", device }];
  }
}
