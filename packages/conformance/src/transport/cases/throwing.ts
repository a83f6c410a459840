import { check, checkEqual } from "../../failure.ts";
import { type TransportHarness, until } from "../harness.ts";
import { expectReceived } from "./data.ts";
import { connectProbe, defineCase, type ProbedPair, type TransportCase } from "./define.ts";

/** Not every way of failing is an exception of the moment: a callback may be asynchronous and fail later. */
export const throwingCases: readonly TransportCase[] = [
  defineCase("throwing/data", "what onData throws ends its connection, and no other", async (harness) => {
    await expectOneEnd(harness, await connectProbe(harness, { onData: fail }));
  }),

  defineCase("throwing/data-later", "what an asynchronous onData throws ends its connection", async (harness) => {
    await expectOneEnd(harness, await connectProbe(harness, { onData: failLater }));
  }),

  defineCase("throwing/drain", "what onDrain throws ends its connection, and no other", async (harness) => {
    const pair = await connectProbe(harness, { onDrain: fail });
    pair.probe.start();
    while (pair.probe.sendPattern(65_536)) {}
    await expectEnd(harness, pair);
    await expectService(harness);
  }),

  defineCase("throwing/close", "what onClose throws, at once or later, harms no other connection", async (harness) => {
    for (const onClose of [fail, failLater]) {
      const pair = await connectProbe(harness, { onClose });
      pair.probe.start();
      await pair.peer.abort();
      await until(harness, "onClose", () => pair.probe.closeInfo !== undefined);
      pair.probe.verify();
    }
    await expectService(harness);
  }),
];

async function expectOneEnd(harness: TransportHarness, pair: ProbedPair): Promise<void> {
  const neighbour = await connectProbe(harness);
  neighbour.probe.start();
  pair.probe.start();
  await pair.peer.send(1_000, 100);
  await expectEnd(harness, pair);
  await neighbour.peer.send(1_000, 100);
  neighbour.probe.sendPattern(1_000);
  await expectReceived(harness, neighbour, 1_000);
  await expectService(harness);
}

/** The connection says why it ended, and whose fault it was. */
async function expectEnd(harness: TransportHarness, { probe, peer }: ProbedPair): Promise<void> {
  await until(harness, "onClose", () => probe.closeInfo !== undefined);
  checkEqual(probe.closeInfo?.initiator, "local", "initiator");
  checkEqual((probe.closeInfo?.error as { code?: string } | undefined)?.code, "callback-threw", "code of the error");
  check(probe.closeInfo?.error?.cause === FAILURE, "the error's cause is what was thrown");
  await until(harness, "the end of the peer", async () => (await peer.status()).closed);
  probe.verify();
}

/** New connections are made and served. */
async function expectService(harness: TransportHarness): Promise<void> {
  const pair = await connectProbe(harness);
  pair.probe.start();
  await pair.peer.send(1_000, 100);
  await expectReceived(harness, pair, 1_000);
}

const FAILURE = new Error("thrown by a callback, on purpose");

function fail(): void {
  throw FAILURE;
}

function failLater(): Promise<void> {
  return Promise.resolve().then(fail);
}
