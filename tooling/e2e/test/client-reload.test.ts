import { it } from "vitest";
import { provesExactlyOnce, randomFrom } from "../src/exactly-once.ts";
import { describeWithPeers } from "../src/peers.ts";

describeWithPeers(["chromium"], "a page that is reloaded at any moment", () => {
  it("delivers every QoS 2 message exactly once (few rounds)", { timeout: 90_000 }, async () => {
    await provesExactlyOnce({ rounds: 6, messagesPerRound: 20, random: randomFrom(20_261_122) });
  });
});
