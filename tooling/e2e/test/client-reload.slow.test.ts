import { expect, it } from "vitest";
import { provesExactlyOnce, randomFrom } from "../src/exactly-once.ts";
import { describeWithPeers } from "../src/peers.ts";

describeWithPeers(["chromium"], "a page that is reloaded 50 times at any moment", () => {
  it("delivers every QoS 2 message exactly once", { timeout: 600_000 }, async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);
    console.log(`seed ${seed}`);
    expect.assertions(1);
    await provesExactlyOnce({ rounds: 50, messagesPerRound: 40, random: randomFrom(seed) });
  });
});
