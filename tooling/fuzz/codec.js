// Mutated packets through the decoder. There is one invariant: nothing but `MqttError` escapes, and neither time nor
// memory runs away. Everything follows from the seed.

import { createDecoder, encode, MqttError } from "@tidewire/codec";
import { mutate, randomFrom } from "./mutations.js";

/**
 * @param {{ seed: number, rounds: number, corpus: readonly { version: 3 | 4 | 5, bytes: Uint8Array }[] }} options
 * @returns {{ packets: number, errors: number }} how many packets were read and how many streams were refused
 */
export function fuzzDecoder({ seed, rounds, corpus }) {
  const random = randomFrom(seed);
  const totals = { packets: 0, errors: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const { version, bytes } = corpus[random(corpus.length)];
    const stream = mutate(bytes, corpus, random);
    try {
      readAll(stream, version, random, totals);
    } catch (error) {
      throw new Error(`seed ${seed}, round ${round}, version ${version}: ${Buffer.from(stream).toString("hex")}`, {
        cause: error,
      });
    }
  }
  return totals;
}

function readAll(stream, version, random, totals) {
  const decoder = createDecoder({ version, maximumPacketSize: 1 << (4 + random(25)) });
  const size = 1 + random(random(2) === 0 ? 3 : stream.length + 1);
  let pushed = 0;
  try {
    for (let at = 0; at < stream.length; at += size) {
      const chunk = stream.subarray(at, at + size);
      decoder.push(chunk);
      pushed += chunk.length;
      for (let packet = decoder.next(); packet !== null; packet = decoder.next()) {
        totals.packets += 1;
        // What was read can be written, in the version that a CONNECT may have changed.
        encode(packet, decoder.version);
      }
      if (decoder.bufferedBytes > pushed) {
        throw new Error(`${decoder.bufferedBytes} bytes held of ${pushed}`);
      }
    }
    decoder.end();
  } catch (error) {
    if (!(error instanceof MqttError) || !error.code || !(error.reasonCode >= 0x80)) {
      throw error;
    }
    totals.errors += 1;
    if (decoder.next() !== null) {
      throw new Error("a packet after the error");
    }
  }
}
