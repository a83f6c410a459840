import { executeCases, runConformance } from "@tidewire/conformance";
import { type LoopbackOptions, loopbackTarget, saboteurs, transportCases } from "@tidewire/conformance/transport";
import { vitestApi } from "@tidewire/conformance/vitest";
import { type MockConnection, type MockNetworkOptions, mockNetwork } from "@tidewire/transport-mock";
import { describe, expect, it } from "vitest";

const marks = { high: 65_536, low: 16_384 };
const closeTimeoutMs = 1_000;

function mockTarget(
  name: string,
  end: "client" | "server",
  options: MockNetworkOptions,
  sabotage?: ReturnType<LoopbackOptions["setup"]>["sabotage"],
): ReturnType<typeof loopbackTarget> {
  return loopbackTarget({
    name,
    end,
    capabilities: [
      "cut",
      "abort-visible",
      "abort-drops",
      "pause",
      "peer-pause",
      "close-timeout",
      "refusal",
      "unfinished",
      ...(end === "server" ? (["first-input"] as const) : []),
    ],
    setup() {
      const network = mockNetwork({
        highWaterMark: marks.high,
        lowWaterMark: marks.low,
        closeTimeoutMs,
        transcript: false,
        onCallbackError: () => {},
        ...options,
      });
      return {
        listen: network.listen,
        dial: () => network.dial,
        dialNowhere: network.dialTo("nowhere"),
        marks,
        closeTimeoutMs,
        firstInputBytes: 65_536,
        sendUnfinished: (peer, bytes) => (peer as MockConnection).sendUnfinished(new Uint8Array(bytes)),
        cut: () => network.cut(),
        async pass(ms) {
          await network.pass(ms);
          // So that a case that never ends meets the time limit of the runner.
          await new Promise((resolve) => setImmediate(resolve));
        },
        ...(sabotage === undefined ? {} : { sabotage }),
      };
    },
  });
}

const networks: readonly [string, MockNetworkOptions][] = [
  ["mock", {}],
  ["mock with latency, chunks cut at random", { seed: 7, latencyMs: [1, 20], chunking: "random" }],
];

for (const [name, options] of networks) {
  for (const end of ["client", "server"] as const) {
    runConformance(transportCases, mockTarget(name, end, options), { api: vitestApi });
  }
}

describe("the suite catches", () => {
  it.each(saboteurs)("$id, by $caughtBy", async ({ caughtBy, sabotage }) => {
    const target = mockTarget("sabotaged", "client", { latencyMs: 1 }, sabotage);
    const cases = transportCases.filter(({ id }) => id === caughtBy);
    const results = await executeCases(cases, target, { timeoutMs: 5_000 });
    expect(results.map(({ outcome }) => outcome)).toEqual(["failed"]);
  });
});
