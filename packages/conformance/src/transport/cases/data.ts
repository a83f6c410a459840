import { check, checkEqual } from "../../failure.ts";
import { quiet, type TransportHarness, until } from "../harness.ts";
import { patternBytes } from "../pattern.ts";
import { connectProbe, defineCase, type ProbedPair, type TransportCase } from "./define.ts";

const mebibyte = 1_048_576;

export const dataCases: readonly TransportCase[] = [
  defineCase("data/one-byte-chunks", "carries 500 chunks of one byte in order, both ways", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.start();
    await pair.peer.send(500, 1);
    for (let i = 0; i < 500; i += 1) {
      pair.probe.sendPattern(1);
    }
    await expectReceived(harness, pair, 500);
  }),

  defineCase("data/large-chunks", "carries chunks of 1 MiB whole, both ways", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.start();
    await pair.peer.send(3 * mebibyte, mebibyte);
    for (let i = 0; i < 3; i += 1) {
      pair.probe.sendPattern(mebibyte);
    }
    await expectReceived(harness, pair, 3 * mebibyte);
  }),

  defineCase("data/mixed-chunks", "sends all chunks of one call in order, empty ones among them", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.start();
    const sizes = [1, 0, 10, 125, 126, 127, 4_000, 0, 65_535, 65_536, 70_000, 3];
    let position = 0;
    const chunks = sizes.map((size) => {
      position += size;
      return patternBytes(position - size, size);
    });
    pair.probe.send(chunks);
    pair.probe.send([]);
    pair.probe.sent = position;
    await pair.peer.send(1, 1);
    await expectReceived(harness, pair, 1);
  }),

  defineCase("data/array-reused", "has done with the array of chunks when send returns", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.start();
    const chunks: Uint8Array[] = [];
    for (let i = 0; i < 200; i += 1) {
      chunks.push(patternBytes(i * 300, 100), patternBytes(i * 300 + 100, 200));
      pair.probe.send(chunks);
      chunks.fill(Uint8Array.of(0xee));
      chunks.length = 0;
    }
    pair.probe.sent = 200 * 300;
    await expectReceived(harness, pair, 0);
  }),

  defineCase("data/chunks-unchanged", "leaves the bytes that it was given as they were", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.start();
    const chunk = patternBytes(0, 10_000).slice();
    pair.probe.send([chunk.subarray(0, 500), chunk.subarray(500)]);
    pair.probe.sent = chunk.length;
    await expectReceived(harness, pair, 0);
    check(
      chunk.every((byte, i) => byte === patternBytes(i, 1)[0]),
      "a chunk was changed",
    );
  }),

  defineCase("data/both-directions", "carries 4 MiB each way at the same time", async (harness) => {
    const total = 4 * mebibyte;
    const pump = (): void => {
      while (probe.sent < total && probe.sendPattern(32_768)) {}
    };
    const pair = await connectProbe(harness, { onDrain: pump });
    const { probe } = pair;
    probe.start();
    await pair.peer.send(total, 32_768);
    pump();
    await until(harness, "everything sent", () => probe.sent >= total);
    await expectReceived(harness, pair, total);
  }),

  defineCase("data/before-start", "keeps what arrives before start, and delivers it after", async (harness) => {
    const pair = await connectProbe(harness);
    await pair.peer.send(20_000, 1_000);
    await quiet(harness);
    checkEqual(pair.probe.received, 0, "bytes delivered before start");
    pair.probe.start();
    await pair.peer.send(20_000, 1_000);
    await expectReceived(harness, pair, 40_000);
  }),

  defineCase("data/send-before-start", "sends before start", async (harness) => {
    const pair = await connectProbe(harness);
    pair.probe.sendPattern(5_000);
    await until(harness, "arrival", async () => (await pair.peer.status()).received === 5_000);
    pair.probe.start();
    await expectReceived(harness, pair, 0);
  }),

  defineCase("data/call-back-in", "may be called from inside its callbacks", async (harness) => {
    const pair = await connectProbe(harness, {
      onData: (chunk) => {
        pair.probe.pause();
        pair.probe.sendPattern(chunk.length);
        pair.probe.resume();
      },
    });
    pair.probe.start();
    await pair.peer.send(50_000, 5_000);
    await expectReceived(harness, pair, 50_000);
    checkEqual(pair.probe.sent, 50_000, "bytes answered");
  }),

  defineCase("data/many-connections", "keeps 40 connections apart", async (harness) => {
    const pairs = await Promise.all(Array.from({ length: 40 }, () => connectProbe(harness)));
    for (const [i, { probe, peer }] of pairs.entries()) {
      probe.start();
      probe.sendPattern(100 + i);
      await peer.send(200 + i, 50);
    }
    for (const [i, pair] of pairs.entries()) {
      await expectReceived(harness, pair, 200 + i);
    }
  }),

  defineCase("data/no-shared-state", "shares nothing with another transport of the process", async (harness) => {
    const sibling = await harness.sibling();
    const [one, other] = await Promise.all([connectProbe(harness), connectProbe(sibling)]);
    for (const { probe, peer } of [one, other]) {
      probe.start();
      probe.sendPattern(1_000);
      await peer.send(1_000, 100);
    }
    await expectReceived(harness, one, 1_000);
    await expectReceived(sibling, other, 1_000);
    one.probe.close();
    await until(harness, "onClose", () => one.probe.closeInfo !== undefined);
    await other.peer.send(1_000, 100);
    await expectReceived(sibling, other, 2_000);
  }),
];

/** Waits until both ends have all that the other one sent, and no more. */
export async function expectReceived(
  harness: TransportHarness,
  { probe, peer }: ProbedPair,
  received: number,
): Promise<void> {
  await until(harness, `${received} bytes received`, () => probe.received >= received);
  await until(harness, `${probe.sent} bytes at the peer`, async () => (await peer.status()).received >= probe.sent);
  const status = await peer.status();
  checkEqual(probe.received, received, "bytes received");
  checkEqual(status.received, probe.sent, "bytes at the peer");
  checkEqual(status.wrongAt, -1, "position of the first wrong byte at the peer");
  probe.verify();
}
