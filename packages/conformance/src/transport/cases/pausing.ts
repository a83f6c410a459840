import { check, checkEqual } from "../../failure.ts";
import { quiet, until } from "../harness.ts";
import { expectReceived } from "./data.ts";
import { connectProbe, defineCase, type TransportCase } from "./define.ts";

export const pausingCases: readonly TransportCase[] = [
  defineCase("pausing/stops-data", "stops within one chunk, and goes on where it stopped", async (harness) => {
    const total = 1_048_576;
    const pair = await connectProbe(harness, {
      onData: () => {
        if (!paused) {
          pair.probe.pause();
        }
        paused = true;
      },
    });
    let paused = false;
    pair.probe.start();
    await pair.peer.send(total, 500);
    await until(harness, "the first data", () => paused);
    await quiet(harness);
    check(pair.probe.received < total, "not everything came while paused");
    pair.probe.resume();
    await expectReceived(harness, pair, total);
  }),

  defineCase("pausing/before-start", "delivers nothing when paused before start", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.pause();
    pair.probe.start();
    await pair.peer.send(10_000, 1_000);
    await quiet(harness);
    check(pair.probe.received === 0 || pair.probe.received <= 10_000, "at most one chunk came");
    pair.probe.resume();
    await expectReceived(harness, pair, 10_000);
  }),

  defineCase(
    "pausing/not-started",
    "takes no more than a few MiB before start",
    async (harness) => {
      const total = 64 * 1_048_576;
      const pair = await connectProbe(harness);
      await pair.peer.send(total, 65_536);
      let sent = -1;
      for (let now = 0; now !== sent; now = (await pair.peer.status()).sent) {
        sent = now;
        await quiet(harness);
      }
      check(sent < total / 2, `the peer was stopped before it had sent ${sent} bytes`);
      pair.probe.start();
      await expectReceived(harness, pair, total);
    },
    ["pause"],
  ),

  defineCase("pausing/often", "loses nothing when paused and resumed all the time", async (harness) => {
    const total = 1_048_576;
    const pair = await connectProbe(harness, { onData: () => pair.probe.pause() });
    pair.probe.start();
    await pair.peer.send(total, 3_000);
    for (let turn = 0; turn < 5_000 && pair.probe.received < total; turn += 1) {
      pair.probe.resume();
      pair.probe.pause();
      pair.probe.resume();
      await harness.pass(1);
    }
    await expectReceived(harness, pair, total);
  }),

  defineCase("pausing/still-sends", "sends while paused", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.start();
    pair.probe.pause();
    pair.probe.sendPattern(10_000);
    await until(harness, "arrival", async () => (await pair.peer.status()).received === 10_000);
    pair.probe.resume();
    await expectReceived(harness, pair, 0);
  }),

  defineCase(
    "pausing/slow-reader",
    "takes 100 MB through a slow reader in bounded memory",
    async (harness) => {
      const total = 100_000_000;
      const chunkBytes = 65_536;
      const pair = await connectProbe(harness, { onData: () => pair.probe.pause() });
      pair.probe.start();
      await pair.peer.send(total, chunkBytes);
      while (pair.probe.received < total) {
        const before = pair.probe.received;
        pair.probe.resume();
        for (let turn = 0; turn < 1_000 && pair.probe.received === before; turn += 1) {
          await harness.pass(0);
        }
        check(pair.probe.received > before, "more data after resume");
      }
      const { mostBuffered } = await pair.peer.status();
      check(mostBuffered <= harness.marks.high + 2 * chunkBytes, `the sender had to hold ${mostBuffered} bytes`);
      checkEqual(pair.probe.received, total, "bytes received");
      pair.probe.verify();
    },
    ["pause"],
  ),
];
