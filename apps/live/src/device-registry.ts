import { limits } from "./limits.ts";
import { TimeSeries } from "./time-series.ts";

/** What its retained status says; unknown until one has come. */
export type DeviceStatus = "online" | "offline" | "unknown";

/** One device, as its messages describe it. */
export interface Device {
  readonly id: string;
  status: DeviceStatus;
  readonly metrics: Map<string, TimeSeries>;
}

/** What a message changed. */
export type DeviceChange =
  | { readonly kind: "added" | "removed"; readonly device: Device }
  | { readonly kind: "status" | "metric"; readonly device: Device };

/** All devices, fed by `devices/<id>/status` and `devices/<id>/metrics/<name>`. */
export class DeviceRegistry {
  readonly devices: Map<string, Device> = new Map();

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
      return [];
    }
    if (device.status !== payload) {
      device.status = payload;
      changes.push({ kind: "status", device });
    }
    return changes;
  }

  #metric(id: string, name: string, payload: string, nowSeconds: number): DeviceChange[] {
    const value = payload.trim() === "" ? Number.NaN : Number(payload);
    if (!Number.isFinite(value)) {
      return [];
    }
    const { device, changes } = this.#find(id);
    if (device === undefined) {
      return [];
    }
    let series = device.metrics.get(name);
    if (series === undefined) {
      if (device.metrics.size >= limits.metricsPerDevice) {
        return changes;
      }
      series = new TimeSeries(limits.pointsPerMetric);
      device.metrics.set(name, series);
    }
    series.push(nowSeconds, value);
    changes.push({ kind: "metric", device });
    return changes;
  }

  #find(id: string): { device: Device | undefined; changes: DeviceChange[] } {
    const known = this.devices.get(id);
    if (known !== undefined || this.devices.size >= limits.devices) {
      return { device: known, changes: [] };
    }
    const device: Device = { id, status: "unknown", metrics: new Map() };
    this.devices.set(id, device);
    return { device, changes: [{ kind: "added", device }] };
  }

  #remove(id: string): DeviceChange[] {
    const device = this.devices.get(id);
    if (device === undefined) {
      return [];
    }
    this.devices.delete(id);
    return [{ kind: "removed", device }];
  }
}
