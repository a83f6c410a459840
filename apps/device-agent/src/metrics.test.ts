import { describe, expect, it } from "vitest";
import { type Machine, parseNetDev, Sampler, thisMachine } from "./metrics.ts";

/** A machine whose counters a test sets. */
function fakeMachine() {
  const state = {
    now: 0,
    cpu: { busyMs: 100, totalMs: 1000 },
    memory: { usedBytes: 1, totalBytes: 4 },
    load: 0.5 as number | undefined,
    network: { received: 5000, sent: 100 } as { received: number; sent: number } | undefined,
  };
  const machine: Machine = {
    nowMs: () => state.now,
    cpuTimes: () => state.cpu,
    memory: () => state.memory,
    load: () => state.load,
    networkBytes: () => state.network,
  };
  return { state, machine };
}

describe("Sampler", () => {
  it("gives shares and rates of the interval, not since the start of the machine", () => {
    const { state, machine } = fakeMachine();
    const sampler = new Sampler(machine);
    Object.assign(state, { now: 2000, cpu: { busyMs: 600, totalMs: 3000 }, network: { received: 9000, sent: 3100 } });
    expect(Object.fromEntries(sampler.sample())).toEqual({
      cpu: 25,
      memory: 25,
      load: 0.5,
      "network-in": 2,
      "network-out": 1.5,
    });
  });

  it("leaves out what the system does not give", () => {
    const { state, machine } = fakeMachine();
    Object.assign(state, { load: undefined, network: undefined });
    const metrics = new Sampler(machine).sample();
    expect([...metrics.keys()]).toEqual(["memory"]);
  });

  it("never gives a negative rate when an interface goes", () => {
    const { state, machine } = fakeMachine();
    const sampler = new Sampler(machine);
    Object.assign(state, { now: 1000, network: { received: 0, sent: 0 } });
    expect(sampler.sample().get("network-in")).toBe(0);
  });

  it("reads this machine", () => {
    const metrics = new Sampler().sample();
    expect(metrics.get("memory")).toBeGreaterThan(0);
    expect(metrics.get("memory")).toBeLessThanOrEqual(100);
    expect(thisMachine.cpuTimes().totalMs).toBeGreaterThan(0);
  });
});

describe("parseNetDev", () => {
  it("adds up every interface but loopback", () => {
    const text = [
      "Inter-|   Receive                                                |  Transmit",
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier",
      "    lo: 1000000    10    0    0    0     0          0         0  1000000    10    0    0    0     0       0",
      "  eth0:    2500    10    0    0    0     0          0         0      700     5    0    0    0     0       0",
      "wlan0:1500 10 0 0 0 0 0 0 300 5 0 0 0 0 0 0",
      "",
    ].join("\n");
    expect(parseNetDev(text)).toEqual({ received: 4000, sent: 1000 });
  });
});
