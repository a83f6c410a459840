import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { ClientError } from "../errors/index.ts";
import { deferred, rejected, reportUnwatched, watch } from "./watched-promise.ts";

const error = new ClientError("closed", "Gone.");

/** Every way to hold a promise. None of them may let the rejection get away. */
const ways: Record<string, (promise: Promise<unknown>) => unknown> = {
  "by await": async (promise) => {
    try {
      await promise;
    } catch {}
  },
  "by then": (promise) => promise.then(undefined, () => {}),
  "by catch": (promise) => promise.catch(() => {}),
  "by finally": (promise) => promise.finally(() => {}).catch(() => {}),
  "by Promise.all": (promise) => Promise.all([promise]).catch(() => {}),
  "by Promise.race": (promise) => Promise.race([promise]).catch(() => {}),
  "by Promise.allSettled": (promise) => Promise.allSettled([promise]),
  "by Promise.resolve": (promise) => Promise.resolve(promise).catch(() => {}),
  "returned by an async function": (promise) => (async () => promise)().catch(() => {}),
  "resolved with": (promise) => new Promise((resolve) => resolve(promise)).catch(() => {}),
};

for (const [name, hold] of Object.entries(ways)) {
  for (const when of ["before it is rejected", "in the turn in which it is"]) {
    test(`held ${name}, ${when}: its holder is told, and nobody else`, async () => {
      const reported: ClientError[] = [];
      const { promise, reject } = deferred<void>();
      const early = when.startsWith("before");
      if (early) {
        hold(promise);
        await null;
      }
      reject(error);
      reportUnwatched(promise, error, (told) => reported.push(told));
      if (!early) {
        hold(promise);
      }
      await wait(10);
      expect(reported).toEqual([]);
    });
  }
}

test("held by nobody: the error is reported, and does not end the process", async () => {
  const reported: ClientError[] = [];
  const report = (told: ClientError) => reported.push(told);
  const { promise, reject } = deferred<void>();
  reject(error);
  reportUnwatched(promise, error, report);
  rejected(error, report);
  watch(Promise.reject(error), report);
  await wait(10);
  expect(reported).toEqual([error, error, error]);
});

test("to wait for one takes no more jobs than for a plain promise", async () => {
  const order: string[] = [];
  const one = deferred<void>();
  const waitFor = async (name: string, promise: Promise<void>) => {
    await promise;
    order.push(name);
  };
  const both = [waitFor("watched", one.promise), waitFor("plain", Promise.resolve())];
  one.resolve();
  await Promise.all(both);
  expect(order).toEqual(["plain", "watched"]);
  const two = deferred<void>();
  two.resolve();
  await Promise.all([waitFor("watched first", two.promise), waitFor("plain second", Promise.resolve())]);
  expect(order.slice(2)).toEqual(["watched first", "plain second"]);
});

test("two promises keep what settles them apart", async () => {
  const [first, second] = [deferred<number>(), deferred<number>()];
  second.resolve(2);
  first.resolve(1);
  expect(await Promise.all([first.promise, second.promise])).toEqual([1, 2]);
});

test("what `then` gives is a plain promise", () => {
  const { promise } = deferred<void>();
  expect(Object.getPrototypeOf(promise.then())).toBe(Promise.prototype);
});
