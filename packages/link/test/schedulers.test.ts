import { browserScheduler } from "@tidewire/link/browser";
import { nodeScheduler } from "@tidewire/link/node";
import { afterEach, describe, expect, test, vi } from "vitest";

afterEach(() => vi.unstubAllGlobals());

describe.each([
  ["Node", nodeScheduler],
  ["a browser", browserScheduler],
])("the scheduler of %s", (_name, create) => {
  test("ends a turn after the promise jobs of a loop that awaits", async () => {
    const scheduler = create();
    let ended = false;
    const rounds: boolean[] = [];
    await new Promise<void>((resolve) => {
      const loop = async (): Promise<void> => {
        await undefined;
        scheduler.defer(() => {
          ended = true;
          resolve();
        });
        for (let i = 0; i < 100; i += 1) {
          await undefined;
          rounds.push(ended);
        }
      };
      setTimeout(loop);
    });
    await new Promise((resolve) => setTimeout(resolve));
    expect(rounds).toEqual(new Array(100).fill(false));
  });

  test("clears a timer that was never set", () => {
    expect(() => create().clearTimer(undefined)).not.toThrow();
  });

  test("sets timers and takes them back", async () => {
    const scheduler = create();
    const cleared = vi.fn();
    const start = scheduler.now();
    scheduler.clearTimer(scheduler.setTimer(cleared, 1));
    await new Promise<void>((resolve) => void scheduler.setTimer(resolve, 10));
    expect(scheduler.now() - start).toBeGreaterThan(8);
    expect(cleared).not.toHaveBeenCalled();
  });

  test("runs later what can wait, each in a turn of its own", async () => {
    const scheduler = create();
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      scheduler.later?.(() => {
        order.push("first");
        queueMicrotask(() => order.push("its promise job"));
      });
      scheduler.later?.(() => {
        order.push("second");
        resolve();
      });
    });
    expect(order).toEqual(["first", "its promise job", "second"]);
  });
});

// MQTT.js #1257, #1577: keep-alive dies in a background tab.
describe("a page in the background", () => {
  class FakeWorker {
    onmessage: ((event: { data: number }) => void) | null = null;
    onerror: (() => void) | null = null;
    static readonly all: FakeWorker[] = [];
    readonly asked: [number, number][] = [];
    constructor() {
      FakeWorker.all.push(this);
    }
    postMessage(message: [number, number]): void {
      this.asked.push(message);
    }
  }

  test("gets its timers from a worker, once each, when its own are late", async () => {
    // All callers share one scheduler; this one has its worker from here.
    vi.resetModules();
    const { browserScheduler } = await import("@tidewire/link/browser");
    vi.stubGlobal("document", {});
    vi.stubGlobal("Worker", FakeWorker);
    const late: (() => void)[] = [];
    vi.stubGlobal("setTimeout", (callback: () => void) => late.push(callback));
    const scheduler = browserScheduler();
    const [one, other, cleared] = [vi.fn(), vi.fn(), vi.fn()];
    scheduler.setTimer(one, 100);
    scheduler.setTimer(other, 200);
    scheduler.clearTimer(scheduler.setTimer(cleared, 300));
    const worker = FakeWorker.all.at(-1) as FakeWorker;
    expect(worker.asked.map(([, ms]) => ms)).toEqual([100, 200, 300]);
    for (const [id] of worker.asked) {
      worker.onmessage?.({ data: id });
    }
    for (const callback of late) {
      callback();
    }
    expect([one, other, cleared].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 0]);
  });

  test("whose policy forbids workers has its own timers", async () => {
    vi.resetModules();
    const { browserScheduler } = await import("@tidewire/link/browser");
    vi.useFakeTimers();
    vi.stubGlobal("document", {});
    vi.stubGlobal(
      "Worker",
      class {
        constructor() {
          throw new Error("refused");
        }
      },
    );
    const callback = vi.fn();
    browserScheduler().setTimer(callback, 100);
    vi.advanceTimersByTime(100);
    vi.useRealTimers();
    expect(callback).toHaveBeenCalledTimes(1);
  });
});
