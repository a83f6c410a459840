import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fuzzProtocols } from "../../../tooling/fuzz/protocol.js";

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 0x7fff_ffff);

// Attacks 4 to 15 and 22 to 35, mixed by chance: whatever several clients send, each connection ends once and in order.
test(`mutated packets of several clients are answered or end their connection (FUZZ_SEED=${seed})`, () => {
  const url = new URL("../../codec/vectors/valid.json", import.meta.url);
  const corpus = (JSON.parse(readFileSync(url, "utf8")) as { version: 3 | 4 | 5; bytes: string }[])
    .map(({ version, bytes }) => ({ version, bytes: Uint8Array.from(Buffer.from(bytes, "hex")) }))
    .filter(({ bytes }) => bytes.length < 2000);
  const { packets, connects, ends } = fuzzProtocols({ seed, rounds: 500, corpus });
  expect(packets).toBeGreaterThan(1000);
  expect(connects).toBeGreaterThan(500);
  expect(Object.keys(ends)).toEqual(expect.arrayContaining(["local", "lost", "violation"]));
});
