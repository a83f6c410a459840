import { runConformance } from "@tidewire/conformance";
import { brokerCases } from "@tidewire/conformance/broker";
import { vitestApi } from "@tidewire/conformance/vitest";
import { afterAll } from "vitest";
import { CAPABILITIES, startOverMock, startWithProfiles } from "./conformance-targets.ts";

const brokers = await startWithProfiles((options) => startOverMock(options, "random"));
afterAll(() => brokers.close());

runConformance(
  brokerCases.filter(({ needs }) => needs?.includes("websocket") !== true),
  {
    name: "Tidewire over a network in memory, bytes cut at random",
    capabilities: CAPABILITIES,
    setup: brokers.harness,
  },
  { api: vitestApi, concurrency: 24 },
);
