import { describe, expect, it } from "vitest";
import { DeviceRegistry } from "./device-registry.ts";
import { limits } from "./limits.ts";

function kinds(registry: DeviceRegistry, topic: string, payload: string): string[] {
  return registry.apply(topic, payload, 0).map((change) => change.kind);
}

describe("DeviceRegistry", () => {
  it("knows a device from its first status or metric", () => {
    const registry = new DeviceRegistry();
    expect(kinds(registry, "devices/a/status", "online")).toEqual(["added", "status"]);
    expect(kinds(registry, "devices/b/metrics/cpu", "12.5")).toEqual(["added", "metric"]);
    expect(registry.devices.get("a")?.status).toBe("online");
    expect(registry.devices.get("b")?.status).toBe("unknown");
    expect(registry.devices.get("b")?.metrics.get("cpu")?.last).toBe(12.5);
  });

  it("says a change of status once", () => {
    const registry = new DeviceRegistry();
    registry.apply("devices/a/status", "online", 0);
    expect(kinds(registry, "devices/a/status", "online")).toEqual([]);
    expect(kinds(registry, "devices/a/status", "offline")).toEqual(["status"]);
  });

  it("forgets a device whose retained status is cleared", () => {
    const registry = new DeviceRegistry();
    registry.apply("devices/a/status", "online", 0);
    expect(kinds(registry, "devices/a/status", "")).toEqual(["removed"]);
    expect(kinds(registry, "devices/a/status", "")).toEqual([]);
    expect(registry.devices.size).toBe(0);
  });

  it.each([
    ["devices/a/metrics/cpu", "warm"],
    ["devices/a/metrics/cpu", ""],
    ["devices/a/metrics/cpu", "NaN"],
    // No page has the room for its digits.
    ["devices/a/metrics/cpu", "1e300"],
    ["devices/a/metrics/cpu", "-1e16"],
    ["devices/a/metrics", "1"],
    ["devices/a/metrics/cpu/0", "1"],
    ["devices//metrics/cpu", "1"],
    ["devices/a/status", "perhaps"],
    ["sensors/a/metrics/cpu", "1"],
  ])("takes nothing from %s %j", (topic, payload) => {
    const registry = new DeviceRegistry();
    expect(kinds(registry, topic, payload)).toEqual([]);
    expect(registry.devices.size).toBe(0);
  });

  it("keeps within its limits whatever is published", () => {
    const registry = new DeviceRegistry();
    for (let i = 0; i < 2 * limits.devices; i += 1) {
      registry.apply(`devices/d${i}/status`, "online", 0);
    }
    for (let i = 0; i < 2 * limits.metricsPerDevice; i += 1) {
      registry.apply(`devices/d0/metrics/m${i}`, "1", 0);
    }
    for (let i = 0; i < 2 * limits.pointsPerMetric; i += 1) {
      registry.apply("devices/d0/metrics/m0", String(i), i);
    }
    expect(registry.devices.size).toBe(limits.devices);
    const metrics = registry.devices.get("d0")?.metrics;
    expect(metrics?.size).toBe(limits.metricsPerDevice);
    expect(metrics?.get("m0")?.values).toHaveLength(limits.pointsPerMetric);
    expect(metrics?.get("m0")?.last).toBe(2 * limits.pointsPerMetric - 1);
    expect(registry.leftOut.size).toBe(limits.devices);
    expect(registry.devices.get("d0")?.metricsLeftOut.size).toBe(limits.metricsPerDevice);
  });

  it("counts a device as left out until there is room for it", () => {
    const registry = new DeviceRegistry();
    for (let i = 0; i <= limits.devices; i += 1) {
      registry.apply(`devices/d${i}/status`, "online", 0);
    }
    const last = `devices/d${limits.devices}/status`;
    expect(kinds(registry, last, "online")).toEqual(["left-out"]);
    expect(registry.leftOut.size).toBe(1);
    registry.apply("devices/d0/status", "", 0);
    expect(kinds(registry, last, "online")).toEqual(["added", "status"]);
    expect(registry.leftOut.size).toBe(0);
  });
});
