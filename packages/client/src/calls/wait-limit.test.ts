import { mockNetwork } from "@tidewire/transport-mock";
import { expect, test, vi } from "vitest";
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

// Each closed client left 15 kB with the signal, and Node warned of the eleventh listener.
test("a long-lived signal has one listener from all that wait for it, and holds nothing of what is over", () => {
  const { scheduler } = mockNetwork();
  const controller = new AbortController();
  const listen = vi.spyOn(controller.signal, "addEventListener");
  const expired: number[] = [];
  const ends = Array.from({ length: 100 }, (_, i) =>
    limitWait({ signal: controller.signal }, scheduler, () => expired.push(i)),
  );
  for (const end of ends.slice(2)) {
    end!();
  }
  controller.abort();
  expect(listen).toHaveBeenCalledTimes(1);
  expect(expired).toEqual([0, 1]);
});
