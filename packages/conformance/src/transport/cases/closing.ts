import { check, checkEqual } from "../../failure.ts";
import { quiet, type TransportHarness, until } from "../harness.ts";
import type { Probe } from "../probe.ts";
import { connectProbe, defineCase, type ProbedPair, type TransportCase } from "./define.ts";

const total = 1_048_576;

export const closingCases: readonly TransportCase[] = [
  defineCase("closing/flushes", "close sends what is buffered, then ends in order", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.start();
    for (let i = 0; i < 16; i += 1) {
      pair.probe.sendPattern(total / 16);
    }
    pair.probe.close();
    await untilClosed(harness, pair);
    checkEqual(outcome(pair.probe), { initiator: "local", clean: true }, "onClose");
    const status = await pair.peer.status();
    checkEqual(status.received, total, "bytes at the peer");
    checkEqual({ initiator: status.initiator, clean: status.clean }, { initiator: "remote", clean: true }, "the peer");
    checkEqual(pair.connection.bufferedAmount, 0, "bufferedAmount");
  }),

  defineCase("closing/by-the-peer", "tells of the peer's close after the last byte", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.start();
    await pair.peer.send(total, 4_096);
    await until(harness, "everything sent", async () => (await pair.peer.status()).sent === total);
    await pair.peer.close();
    await untilClosed(harness, pair);
    checkEqual(pair.probe.received, total, "bytes received");
    checkEqual(outcome(pair.probe), { initiator: "remote", clean: true }, "onClose");
  }),

  defineCase("closing/sends-to-a-closing-peer", "drops what is sent while the peer closes", async (harness) => {
    const pair = await connectProbe(harness, { onData: () => pair.probe.sendPattern(10) });
    pair.probe.start();
    await pair.peer.send(10_000, 100);
    await until(harness, "everything received", () => pair.probe.received === 10_000);
    await pair.peer.close();
    for (let turn = 0; turn < 5_000 && pair.probe.closeInfo === undefined; turn += 1) {
      pair.probe.send([Uint8Array.of(1)]);
      await harness.pass(0);
    }
    await until(harness, "onClose", () => pair.probe.closeInfo !== undefined);
    checkEqual(outcome(pair.probe), { initiator: "remote", clean: true }, "onClose");
    checkEqual(pair.probe.send([Uint8Array.of(1)]), false, "send after the end");
    pair.probe.verify();
  }),

  defineCase(
    "closing/while-paused",
    "delivers what came before the peer's close, also after a pause",
    async (harness) => {
      let paused = false;
      const pair = await connectProbe(harness, {
        onData: () => {
          if (!paused) {
            pair.probe.pause();
          }
          paused = true;
        },
      });
      pair.probe.start();
      await pair.peer.send(20_000, 100);
      await until(harness, "the first data", () => pair.probe.received > 0);
      await pair.peer.close();
      await quiet(harness);
      const { received, closeInfo } = pair.probe;
      check(closeInfo === undefined || received === 20_000, "no onClose while data is held back by the pause");
      pair.probe.resume();
      await untilClosed(harness, pair);
      checkEqual(pair.probe.received, 20_000, "bytes received");
      checkEqual(outcome(pair.probe), { initiator: "remote", clean: true }, "onClose");
    },
  ),

  defineCase("closing/before-start", "keeps bytes and close until start", async (harness) => {
    const pair = await connectProbe(harness);
    await pair.peer.send(5_000, 500);
    await pair.peer.close();
    await quiet(harness);
    pair.probe.start();
    await untilClosed(harness, pair);
    checkEqual(pair.probe.received, 5_000, "bytes received");
    checkEqual(outcome(pair.probe), { initiator: "remote", clean: true }, "onClose");
  }),

  defineCase("closing/ended-before-start", "tells a handler that starts late that it is over", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.abort();
    await quiet(harness);
    pair.probe.start();
    await untilClosed(harness, pair);
    checkEqual(outcome(pair.probe), { initiator: "local", clean: false }, "onClose");
  }),

  defineCase("closing/own-close-while-paused", "closes while paused and with data unread", async (harness) => {
    const pair = await connectProbe(harness, { onData: () => pair.probe.pause() });
    pair.probe.start();
    await pair.peer.send(total, 4_096);
    await until(harness, "the first data", () => pair.probe.received > 0);
    pair.probe.close();
    await untilClosed(harness, pair);
    checkEqual(outcome(pair.probe).initiator, "local", "initiator");
  }),

  defineCase("closing/abort", "abort ends at once, with the error that it was given", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.start();
    const error = new Error("enough");
    pair.probe.abort(error);
    await untilClosed(harness, pair);
    checkEqual(outcome(pair.probe), { initiator: "local", clean: false }, "onClose");
    check(pair.probe.closeInfo?.error === error, "onClose has the error of abort");
  }),

  defineCase(
    "closing/abort-drops",
    "abort loses what is buffered",
    async (harness) => {
      const pair = await connectProbe(harness);
      pair.probe.start();
      await pair.peer.pause();
      for (let i = 0; i < 4_096 && pair.probe.sendPattern(16_384); ) {
        i += 1;
      }
      pair.probe.sendPattern(total);
      pair.probe.abort();
      await until(harness, "onClose", () => pair.probe.closeInfo !== undefined);
      checkEqual(pair.connection.bufferedAmount, 0, "bufferedAmount");
      await pair.peer.resume();
      await untilClosed(harness, pair);
      const { received } = await pair.peer.status();
      check(received < pair.probe.sent, "the peer did not get everything");
    },
    ["abort-drops", "peer-pause"],
  ),

  defineCase(
    "closing/abort-visible",
    "an abort of either side is no orderly end for the other",
    async (harness) => {
      const [own, peers] = [await connectProbe(harness), await connectProbe(harness)];
      own.probe.start();
      peers.probe.start();
      own.probe.abort();
      await peers.peer.abort();
      await untilClosed(harness, own);
      await untilClosed(harness, peers);
      checkEqual((await own.peer.status()).clean, false, "clean at the peer");
      checkEqual(outcome(peers.probe), { initiator: "remote", clean: false }, "onClose");
      check(peers.probe.closeInfo?.error !== undefined, "onClose has an error");
    },
    ["abort-visible"],
  ),

  defineCase(
    "closing/cut",
    "tells both ends of a cut cable, with an error",
    async (harness) => {
      const pair = await connectProbe(harness);
      pair.probe.start();
      await pair.peer.send(100, 100);
      await until(harness, "data", () => pair.probe.received === 100);
      harness.cut(pair);
      await untilClosed(harness, pair);
      checkEqual(outcome(pair.probe), { initiator: "remote", clean: false }, "onClose");
      check(pair.probe.closeInfo?.error !== undefined, "onClose has an error");
    },
    ["cut"],
  ),

  defineCase("closing/once", "calls onClose once, however often and by whomever it is closed", async (harness) => {
    const ways: ((pair: ProbedPair) => unknown)[] = [
      ({ probe }) => [probe.close(), probe.close()],
      ({ probe }) => [probe.abort(), probe.abort()],
      ({ probe }) => [probe.close(), probe.abort()],
      ({ probe }) => [probe.abort(), probe.close()],
      ({ probe, peer }) => [probe.close(), peer.close()],
      ({ probe, peer }) => [peer.close(), probe.abort()],
      ({ probe, peer }) => [peer.abort(), probe.close()],
    ];
    for (const way of ways) {
      const pair = await connectProbe(harness);
      pair.probe.start();
      pair.probe.sendPattern(1_000);
      way(pair);
      await untilClosed(harness, pair);
      await quiet(harness);
      pair.probe.verify();
    }
  }),

  defineCase("closing/from-callbacks", "may be closed from inside its callbacks", async (harness) => {
    for (const end of ["close", "abort"] as const) {
      const pair = await connectProbe(harness, { onData: () => pair.probe[end]() });
      pair.probe.start();
      await pair.peer.send(100_000, 500);
      await untilClosed(harness, pair);
      await quiet(harness);
      checkEqual(outcome(pair.probe).initiator, "local", "initiator");
      pair.probe.verify();
    }
  }),

  defineCase("closing/methods-after", "takes every call after the end, and does nothing", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.start();
    pair.probe.sendPattern(10);
    pair.probe.close();
    const useAll = (): void => {
      pair.probe.send([Uint8Array.of(0xee)]);
      pair.probe.pause();
      pair.probe.resume();
      pair.probe.close();
    };
    useAll();
    await untilClosed(harness, pair);
    useAll();
    pair.probe.abort();
    await quiet(harness);
    checkEqual((await pair.peer.status()).received, 10, "bytes at the peer");
    checkEqual(pair.connection.bufferedAmount, 0, "bufferedAmount");
    pair.probe.verify();
  }),

  defineCase(
    "closing/bounded",
    "cuts off a peer that never reads the last bytes",
    async (harness) => {
      const pair = await connectProbe(harness);
      pair.probe.start();
      await pair.peer.pause();
      for (let i = 0; i < 4_096 && pair.probe.sendPattern(16_384); ) {
        i += 1;
      }
      pair.probe.sendPattern(16 * total);
      pair.probe.close();
      await until(harness, "onClose", () => pair.probe.closeInfo !== undefined, harness.closeTimeoutMs + 10_000);
      checkEqual(outcome(pair.probe), { initiator: "local", clean: false }, "onClose");
      pair.probe.verify();
    },
    ["close-timeout", "peer-pause"],
  ),
];

/** Waits until both ends know. */
async function untilClosed(harness: TransportHarness, { probe, peer }: ProbedPair): Promise<void> {
  await until(harness, "onClose", () => probe.closeInfo !== undefined);
  await until(harness, "onClose at the peer", async () => (await peer.status()).closed);
  checkEqual((await peer.status()).wrongAt, -1, "position of the first wrong byte at the peer");
  probe.verify();
}

function outcome({ closeInfo }: Probe): { initiator: string | undefined; clean: boolean | undefined } {
  return { initiator: closeInfo?.initiator, clean: closeInfo?.clean };
}
