import { afterEach, expect, test, vi } from "vitest";
import { browserScheduler, pageScheduler } from "./browser.ts";

// Resources that no garbage collector takes back: Workers, blob URLs, ports that keep a process alive.

class FakeWorker {
  static live = 0;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  constructor() {
    FakeWorker.live += 1;
  }
  postMessage([handle, delayMs]: [unknown, number]): void {
    setTimeout(() => this.onmessage?.({ data: handle }), delayMs);
  }
  terminate(): void {
    FakeWorker.live -= 1;
  }
}

const turns = () => new Promise((resolve) => setTimeout(resolve, 20));

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  FakeWorker.live = 0;
});

test("one worker and one blob URL serve all users, go with the last of them, and come back with the next", async () => {
  vi.stubGlobal("document", {});
  vi.stubGlobal("Worker", FakeWorker);
  const made = vi.spyOn(URL, "createObjectURL");
  const revoked = vi.spyOn(URL, "revokeObjectURL");
  for (const round of [1, 2]) {
    const users = Array.from({ length: 10 }, () => {
      const scheduler = browserScheduler();
      return { scheduler, release: scheduler.hold!() };
    });
    await Promise.all(
      users.map(({ scheduler }) => new Promise<void>((resolve) => scheduler.setTimer(() => resolve(), 1))),
    );
    expect([FakeWorker.live, made.mock.calls.length]).toEqual([1, round]);
    for (const { release } of users.slice(1)) {
      release();
      release();
    }
    await turns();
    expect(FakeWorker.live).toBe(1);
    users[0]!.release();
    await turns();
    expect([FakeWorker.live, revoked.mock.calls.length]).toEqual([0, round]);
  }
});

test("where the page's policy forbids the worker, the page's own timers remain", async () => {
  vi.stubGlobal("document", {});
  vi.stubGlobal(
    "Worker",
    class {
      constructor() {
        throw new Error("forbidden");
      }
    },
  );
  const scheduler = browserScheduler();
  const release = scheduler.hold!();
  await new Promise<void>((resolve) => scheduler.setTimer(() => resolve(), 1));
  release();
  await turns();
});

test("where there is no other way, turns end with messages of a channel, in their order", async () => {
  vi.stubGlobal("setImmediate", undefined);
  const scheduler = pageScheduler();
  vi.unstubAllGlobals();
  const ran: number[] = [];
  scheduler.defer(() => ran.push(2));
  scheduler.later!(() => ran.push(3));
  await Promise.resolve().then(() => ran.push(1));
  await turns();
  expect(ran).toEqual([1, 2, 3]);
});
