import { executeCases, runConformance } from "@tidewire/conformance";
import { brokerCases, type RawConnection, type RawHandler } from "@tidewire/conformance/broker";
import { vitestApi } from "@tidewire/conformance/vitest";
import { expect, test } from "vitest";

/** What an implementer writes: a server that accepts every 3.1.1 CONNECT, answers PINGREQ and knows nothing more. */
class SmallServer implements RawConnection {
  #handler: RawHandler | undefined;

  start(handler: RawHandler): void {
    this.#handler = handler;
  }

  send(bytes: Uint8Array): void {
    if (bytes[0] === 0x10) {
      queueMicrotask(() => this.#handler?.onData(Uint8Array.of(0x20, 2, 0, 0)));
    }
    if (bytes[0] === 0xc0) {
      queueMicrotask(() => this.#handler?.onData(Uint8Array.of(0xd0, 0)));
    }
  }

  close(): void {}
}

const target = {
  name: "a small server",
  capabilities: ["anonymous"],
  setup: () => ({ dial: async () => new SmallServer(), prefix: "small", answerTimeoutMs: 50, quietMs: 10 }),
};
const cases = brokerCases.filter(({ id }) => ["3.1.1/lifetime/pingreq", "3.1.1/subscribe/suback"].includes(id));

runConformance(cases, target, {
  api: vitestApi,
  expectedFailures: { "3.1.1/subscribe/suback": "SUBSCRIBE is not there yet" },
});

test("a server that does almost nothing fails almost everything, in bounded time", async () => {
  const some = brokerCases.filter(({ id }) => /^3\.1\.1\/(subscribe|retained|qos)\//.test(id));
  const results = await executeCases(some, target, { concurrency: 100 });
  expect(some.length).toBeGreaterThan(20);
  expect(results.filter(({ outcome }) => outcome === "passed")).toEqual([]);
});
