import { runConformance } from "@tidewire/conformance";
import { type ClientCase, clientCases } from "@tidewire/conformance/client";
import { listenWebSocket } from "@tidewire/conformance/node";
import { vitestApi } from "@tidewire/conformance/vitest";
import { liteClient, minimalClient } from "./conformance-lite-driver.ts";

const capabilities = ["websocket"];

runConformance(
  clientCases,
  {
    name: "Tidewire lite client",
    capabilities,
    setup: () => ({ listen: listenWebSocket, connect: liteClient }),
  },
  { api: vitestApi, concurrency: 24 },
);

/** What is not asked of a client that has one connection and messages of QoS 0. */
const beyondMinimal: readonly (readonly [reason: string, pattern: RegExp])[] = [
  ["it does not come back", /connect\/session-(lost|kept)$|publish\/(redelivery|topic-alias-per-connection)/],
  [
    "it publishes with QoS 0",
    /publish\/(identifiers|qos-2|pubrel|refused-is-settled|receive-maximum|maximum-packet-size)/,
  ],
  ["it subscribes with QoS 0", /receive\/(acknowledg|discarded|qos|pubrel)|subscribe\/encoding/],
];

function within(testCase: ClientCase): boolean {
  return !beyondMinimal.some(([, pattern]) => pattern.test(testCase.id));
}

runConformance(
  clientCases.filter(within),
  {
    name: "Tidewire minimal client",
    capabilities,
    setup: () => ({ listen: listenWebSocket, connect: minimalClient }),
  },
  { api: vitestApi, concurrency: 24 },
);
