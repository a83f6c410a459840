import type { Connection } from "@tidewire/transport";
import { check, checkEqual } from "../../failure.ts";
import { quiet, type TransportHarness, until } from "../harness.ts";
import { Probe } from "../probe.ts";
import { expectReceived } from "./data.ts";
import { connectProbe, defineCase, type ProbedPair, type TransportCase } from "./define.ts";

export const pressureCases: readonly TransportCase[] = [
  defineCase(
    "pressure/stops",
    "says stop when the peer does not read, and drains once when it does",
    async (harness) => {
      const pair = await stoppedPair(harness);
      check(pair.connection.bufferedAmount > 0, "bufferedAmount is not 0 while stopped");
      const { drains } = pair.probe;
      await quiet(harness);
      checkEqual(pair.probe.drains, drains, "drains while the peer does not read");
      await pair.peer.resume();
      await until(harness, "onDrain", () => pair.probe.drains > drains);
      await expectReceived(harness, pair, 0);
      await until(harness, "bufferedAmount is 0", () => pair.connection.bufferedAmount === 0);
      await quiet(harness);
      checkEqual(pair.probe.drains, drains + 1, "drains");
    },
    ["peer-pause"],
  ),

  defineCase(
    "pressure/sent-after-stop",
    "takes what is sent after a stop, and keeps the order",
    async (harness) => {
      const pair = await stoppedPair(harness);
      const { drains } = pair.probe;
      for (let i = 0; i < 10; i += 1) {
        pair.probe.sendPattern(1_000 + i);
      }
      await pair.peer.resume();
      await until(harness, "onDrain", () => pair.probe.drains > drains);
      await expectReceived(harness, pair, 0);
    },
    ["peer-pause"],
  ),

  defineCase("pressure/drains-every-time", "drains after every stop, ten times over", async (harness) => {
    const total = 10 * (harness.marks.high + chunkBytes);
    let stops = 0;
    const pump = (): void => {
      while (pair.probe.sent < total) {
        if (pair.probe.sendPattern(chunkBytes)) {
          continue;
        }
        stops += 1;
        return;
      }
    };
    const pair = await connectProbe(harness, { onDrain: pump });
    pair.probe.start();
    pump();
    await until(harness, "everything sent", () => pair.probe.sent >= total);
    await expectReceived(harness, pair, 0);
    await until(harness, "the last drain", () => pair.probe.drains === stops);
  }),

  defineCase(
    "pressure/one-large-send",
    "drains after a single chunk above the high mark",
    async (harness) => {
      const pair = await connectProbe(harness);
      pair.probe.start();
      await pair.peer.pause();
      await until(harness, "a stop", () => !pair.probe.sendPattern(16 * harness.marks.high));
      await pair.peer.resume();
      await until(harness, "onDrain", () => pair.probe.drains > 0);
      await expectReceived(harness, pair, 0);
    },
    ["peer-pause"],
  ),

  defineCase(
    "pressure/drain-before-start",
    "delivers after start the drain of a stop before it",
    async (harness) => {
      const pair = await connectProbe(harness);
      await pair.peer.pause();
      fill(pair.probe);
      await pair.peer.resume();
      await quiet(harness);
      pair.probe.start();
      await until(harness, "onDrain", () => pair.probe.drains > 0);
      await expectReceived(harness, pair, 0);
    },
    ["peer-pause"],
  ),

  defineCase("pressure/through-wrapper", "drains when used through a wrapper", async (harness) => {
    const pair = await harness.connect();
    const probe = new Probe(wrap(pair.connection), harness.marks, { onDrain: () => pump() });
    const total = 4 * 1_048_576;
    const pump = (): void => {
      while (probe.sent < total && probe.sendPattern(chunkBytes)) {}
    };
    probe.start();
    pump();
    await until(harness, "everything sent", () => probe.sent >= total);
    await expectReceived(harness, { ...pair, probe }, 0);
  }),

  defineCase("pressure/slow-peer", "holds no more than was sent before a stop", async (harness) => {
    const total = 8 * 1_048_576;
    let most = 0;
    const pump = (): void => {
      while (pair.probe.sent < total && pair.probe.sendPattern(chunkBytes)) {}
      most = Math.max(most, pair.connection.bufferedAmount);
    };
    const pair = await connectProbe(harness, { onDrain: pump });
    pair.probe.start();
    pump();
    for (let turn = 0; turn < 5_000 && (await pair.peer.status()).received < total; turn += 1) {
      await pair.peer.pause();
      await harness.pass(1);
      await pair.peer.resume();
      await harness.pass(1);
    }
    await expectReceived(harness, pair, 0);
    check(most <= harness.marks.high + 2 * chunkBytes, `at most the high mark and a chunk were buffered, not ${most}`);
  }),
];

const chunkBytes = 8_192;

/** A pair whose peer does not read, with so much sent that nothing moves any more. */
async function stoppedPair(harness: TransportHarness): Promise<ProbedPair> {
  const pair = await connectProbe(harness);
  pair.probe.start();
  await pair.peer.pause();
  // What was sent may go on to the operating system a moment later, and make room once more: so much that it cannot.
  fill(pair.probe);
  for (let i = 0; i < 8; i += 1) {
    pair.probe.sendPattern(1_048_576);
  }
  await quiet(harness);
  fill(pair.probe);
  await quiet(harness);
  return pair;
}

/** Operating systems take a few MiB before anything is left with the transport. */
function fill(probe: Probe): void {
  for (let i = 0; i < 8_192; i += 1) {
    if (!probe.sendPattern(chunkBytes)) {
      return;
    }
  }
  check(false, "send never returned false, with 64 MiB sent to a peer that does not read");
}

/** The connection behind plain functions, and its handler behind others. */
function wrap(connection: Connection): Connection {
  return {
    info: connection.info,
    get bufferedAmount() {
      return connection.bufferedAmount;
    },
    get pendingInput() {
      return connection.pendingInput;
    },
    start: (handler) =>
      connection.start({
        onData: (chunk) => handler.onData(chunk),
        onDrain: () => handler.onDrain(),
        onClose: (info) => handler.onClose(info),
      }),
    send: (chunks) => connection.send(chunks),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    allowInput: (bytes) => connection.allowInput(bytes),
    close: () => connection.close(),
    abort: (error) => connection.abort(error),
  };
}
