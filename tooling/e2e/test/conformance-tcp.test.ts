import { createBroker } from "@tidewire/broker";
import { runConformance } from "@tidewire/conformance";
import { brokerCases } from "@tidewire/conformance/broker";
import { dialUrl } from "@tidewire/conformance/node";
import { vitestApi } from "@tidewire/conformance/vitest";
import { tcpListener } from "@tidewire/transport-tcp";
import { afterAll } from "vitest";
import { CAPABILITIES, startWithProfiles } from "./conformance-targets.ts";

const brokers = await startWithProfiles(async (options) => {
  const broker = createBroker({ sysIntervalMs: 200, ...options });
  await broker.start();
  const { addresses } = await broker.listen(tcpListener({ host: "127.0.0.1", port: 0 }));
  return { dial: dialUrl(addresses[0] ?? ""), close: () => broker.close() };
});
afterAll(() => brokers.close());

runConformance(
  brokerCases.filter(({ needs }) => needs?.includes("websocket") !== true),
  { name: "Tidewire over TCP", capabilities: CAPABILITIES, setup: brokers.harness },
  { api: vitestApi, concurrency: 24 },
);
