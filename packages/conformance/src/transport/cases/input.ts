import { check, checkEqual } from "../../failure.ts";
import { quiet, until } from "../harness.ts";
import { expectReceived } from "./data.ts";
import { connectProbe, defineCase, type TransportCase } from "./define.ts";

export const inputCases: readonly TransportCase[] = [
  defineCase("input/none-left", "has nothing pending once everything was delivered", async (harness) => {
    const total = 200_000;
    const pair = await connectProbe(harness);
    pair.connection.allowInput(65_536);
    pair.probe.start();
    await pair.peer.send(total, 500);
    await expectReceived(harness, pair, total);
    checkEqual(pair.connection.pendingInput, 0, "pendingInput");
  }),

  defineCase(
    "input/pending",
    "counts what it holds of an unfinished message",
    async (harness) => {
      const pair = await connectProbe(harness);
      pair.connection.allowInput(100_000);
      pair.probe.start();
      for (let sent = 1_000; sent <= 3_000; sent += 1_000) {
        harness.sendUnfinished(pair, 1_000);
        await until(harness, `${sent} bytes pending`, () => pair.connection.pendingInput >= sent);
      }
      check(pair.connection.pendingInput < 3_100, "what is pending are the bytes of the message and its frames");
      checkEqual(pair.probe.received, 0, "bytes received");
      pair.probe.abort();
      await until(harness, "onClose", () => pair.probe.closeInfo !== undefined);
      checkEqual(pair.connection.pendingInput, 0, "pendingInput of a closed connection");
      pair.probe.verify();
    },
    ["unfinished"],
  ),

  defineCase(
    "input/limit",
    "cuts off a peer that sends more of an unfinished message than is allowed",
    async (harness) => {
      const pair = await connectProbe(harness);
      pair.connection.allowInput(10_000);
      pair.probe.start();
      for (let i = 0; i < 2; i += 1) {
        harness.sendUnfinished(pair, 4_000);
        await quiet(harness);
      }
      checkEqual(pair.probe.closeInfo, undefined, "closeInfo within the limit");
      harness.sendUnfinished(pair, 4_000);
      await until(harness, "onClose", () => pair.probe.closeInfo !== undefined);
      expectInputLimit(pair.probe.closeInfo);
      checkEqual(pair.probe.received, 0, "bytes received");
      pair.probe.verify();
    },
    ["unfinished"],
  ),

  defineCase(
    "input/raised",
    "holds more when more is allowed, and no more than that",
    async (harness) => {
      const pair = await connectProbe(harness);
      pair.connection.allowInput(2_000);
      pair.probe.start();
      harness.sendUnfinished(pair, 1_500);
      await until(harness, "1,500 bytes pending", () => pair.connection.pendingInput >= 1_500);
      pair.connection.allowInput(40_000);
      harness.sendUnfinished(pair, 30_000);
      await until(harness, "31,500 bytes pending", () => pair.connection.pendingInput >= 31_500);
      checkEqual(pair.probe.closeInfo, undefined, "closeInfo within the limit");
      harness.sendUnfinished(pair, 10_000);
      await until(harness, "onClose", () => pair.probe.closeInfo !== undefined);
      expectInputLimit(pair.probe.closeInfo);
      pair.probe.verify();
    },
    ["unfinished"],
  ),

  defineCase(
    "input/first",
    "an accepted connection begins with the limit of its listener",
    async (harness) => {
      const pair = await connectProbe(harness);
      pair.probe.start();
      harness.sendUnfinished(pair, harness.firstInputBytes / 2);
      await until(harness, "bytes pending", () => pair.connection.pendingInput >= harness.firstInputBytes / 2);
      harness.sendUnfinished(pair, harness.firstInputBytes / 2 + 1);
      await until(harness, "onClose", () => pair.probe.closeInfo !== undefined);
      expectInputLimit(pair.probe.closeInfo);
      pair.probe.verify();
    },
    ["first-input"],
  ),
];

/** The peer is to blame, and the reason is one of its own. */
function expectInputLimit(closeInfo: { initiator: string; clean: boolean; error?: Error } | undefined): void {
  checkEqual(closeInfo?.initiator, "remote", "initiator");
  checkEqual(closeInfo?.clean, false, "clean");
  checkEqual((closeInfo?.error as { code?: string } | undefined)?.code, "input-limit", "code of the error");
}
