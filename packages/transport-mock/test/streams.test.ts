import { runConformance } from "@tidewire/conformance";
import { loopbackTarget, transportCases } from "@tidewire/conformance/transport";
import { vitestApi } from "@tidewire/conformance/vitest";
import type { Dial, Listen } from "@tidewire/transport";
import { fromWebStreams, toWebStreams } from "@tidewire/transport/streams";
import { mockNetwork } from "@tidewire/transport-mock";
import { expect, it } from "vitest";

// A connection made of the streams that another connection was made into keeps the whole contract.

const marks = { high: 65_536, low: 16_384 };

function throughStreams(dial: Dial, listen: Listen): { dial: Dial; listen: Listen } {
  const options = { highWaterMark: marks.high, lowWaterMark: marks.low, closeTimeoutMs: 3_000 };
  return {
    dial: async (dialOptions) => fromWebStreams(toWebStreams(await dial(dialOptions)), options),
    listen: (onConnection) => listen((connection) => onConnection(fromWebStreams(toWebStreams(connection), options))),
  };
}

for (const end of ["client", "server"] as const) {
  const target = loopbackTarget({
    name: "Web Streams",
    end,
    capabilities: ["cut", "abort-visible", "abort-drops", "pause", "peer-pause", "refusal"],
    setup() {
      const network = mockNetwork({ highWaterMark: marks.high, lowWaterMark: marks.low, transcript: false });
      const { dial, listen } = throughStreams(network.dial, network.listen);
      return {
        listen,
        dial: () => dial,
        dialNowhere: network.dialTo("nowhere"),
        marks,
        closeTimeoutMs: 3_000,
        cut: () => network.cut(),
        async pass(ms) {
          await network.pass(ms);
          await new Promise((resolve) => setImmediate(resolve));
        },
      };
    },
  });
  runConformance(transportCases, target, { api: vitestApi });
}

it("gives streams that can be piped", async () => {
  const network = mockNetwork();
  const { client, server } = network.pair();
  const timer = setInterval(() => network.advance(10), 1);
  const near = toWebStreams(client);
  const far = toWebStreams(server);
  const echo = far.readable.pipeTo(far.writable);
  const text = "over streams ".repeat(1_000);
  const source = new Blob([text]).stream().pipeThrough(new TransformStream());
  let seen = "";
  const writer = near.writable.getWriter();
  const reading = (async () => {
    for await (const chunk of near.readable) {
      seen += new TextDecoder().decode(chunk);
      if (seen.length === text.length) {
        break;
      }
    }
  })();
  for await (const chunk of source) {
    await writer.write(chunk);
  }
  await reading;
  await echo.catch(() => {});
  clearInterval(timer);
  expect(seen).toBe(text);
});
