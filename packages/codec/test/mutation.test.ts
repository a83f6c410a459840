import { expect, test } from "vitest";
import { fuzzDecoder } from "../../../tooling/fuzz/codec.js";
import { invalidBytesVectors, validVectors } from "./vectors.ts";

const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 0x7fff_ffff);

// aedes #324 and #428: a corrupt packet threw something other than the documented error and ended the process.
test(`mutated packets give packets or the one documented error (FUZZ_SEED=${seed})`, () => {
  const corpus = [...validVectors.filter(({ bytes }) => bytes.length < 2000), ...invalidBytesVectors];
  const { packets, errors } = fuzzDecoder({ seed, rounds: 20_000, corpus });
  expect(packets).toBeGreaterThan(100);
  expect(errors).toBeGreaterThan(100);
});
