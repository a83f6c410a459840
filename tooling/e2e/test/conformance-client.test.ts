import { runConformance } from "@tidewire/conformance";
import { clientCases } from "@tidewire/conformance/client";
import { listenTcp, listenWebSocket } from "@tidewire/conformance/node";
import { vitestApi } from "@tidewire/conformance/vitest";
import { tcp } from "@tidewire/transport-tcp";
import { tidewireClient } from "./conformance-client-driver.ts";

const capabilities = ["authentication", "reauthenticate", "topic-alias"];

runConformance(
  clientCases.filter(({ needs }) => needs?.includes("websocket") !== true),
  {
    name: "Tidewire client over TCP",
    capabilities,
    setup: () => ({
      listen: listenTcp,
      connect: (address, options) =>
        tidewireClient(tcp({ host: "127.0.0.1", port: Number(new URL(address).port) }), options),
    }),
  },
  { api: vitestApi, concurrency: 24 },
);

runConformance(
  clientCases,
  {
    name: "Tidewire client over WebSocket",
    capabilities: [...capabilities, "websocket"],
    setup: () => ({ listen: listenWebSocket, connect: tidewireClient }),
  },
  { api: vitestApi, concurrency: 24 },
);
