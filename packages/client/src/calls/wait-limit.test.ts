import { mockNetwork } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import type { ClientError } from "../errors/index.ts";
import { limitWait } from "./wait-limit.ts";

test("nothing limits a wait without signal and time", () => {
  const { scheduler } = mockNetwork();
  expect(limitWait({}, scheduler, () => expect.unreachable())).toBeUndefined();
  expect(limitWait({ timeoutMs: Number.POSITIVE_INFINITY }, scheduler, () => expect.unreachable())).toBeUndefined();
});

test("what comes first ends the wait, once", async () => {
  const network = mockNetwork();
  const controller = new AbortController();
  const errors: ClientError[] = [];
  limitWait({ timeoutMs: 10, signal: controller.signal }, network.scheduler, (error) => errors.push(error));
  await network.pass(10);
  controller.abort();
  limitWait({ timeoutMs: 10, signal: new AbortController().signal }, network.scheduler, (error) =>
    errors.push(error),
  )!();
  await network.pass(100);
  expect(errors.map(({ code }) => code)).toEqual(["timeout"]);
});

test("a long-lived signal keeps no listener of waits that are over", async () => {
  const network = mockNetwork();
  let listeners = 0;
  const signal = new AbortController().signal;
  const counted = new Proxy(signal, {
    get(target, name) {
      const step = name === "addEventListener" ? 1 : name === "removeEventListener" ? -1 : 0;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") {
        return value;
      }
      return (...args: unknown[]) => {
        listeners += step;
        return Reflect.apply(value, target, args);
      };
    },
  });
  const ends = Array.from({ length: 100 }, () => limitWait({ signal: counted }, network.scheduler, () => {}));
  expect(listeners).toBe(100);
  for (const end of ends) {
    end!();
  }
  expect(listeners).toBe(0);
});
