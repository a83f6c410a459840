import { runConformance } from "@tidewire/conformance";
import { clientCases } from "@tidewire/conformance/client";
import { vitestApi } from "@tidewire/conformance/vitest";
import { mockNetwork } from "@tidewire/transport-mock";
import { afterAll } from "vitest";
import { tidewireClient } from "./conformance-client-driver.ts";
import { rawConnection } from "./conformance-targets.ts";

// Its time is ours: the cases wait for the clock of this process.
const network = mockNetwork({ transcript: false, chunking: "random" });
let last = performance.now();
const clock = setInterval(() => {
  const now = performance.now();
  network.advance(now - last);
  last = now;
}, 1);
afterAll(() => clearInterval(clock));

let listeners = 0;

runConformance(
  clientCases,
  {
    name: "Tidewire client over a network in memory, bytes cut at random",
    capabilities: ["authentication", "reauthenticate", "topic-alias"],
    setup: () => ({
      async listen(onConnection) {
        listeners += 1;
        const address = `server-${listeners}`;
        const listener = await network.listenOn(address)((connection) => onConnection(rawConnection(connection)));
        return { address, close: () => listener.close() };
      },
      connect: (address, options) => tidewireClient(network.dialTo(address), options),
    }),
  },
  { api: vitestApi, concurrency: 24 },
);
