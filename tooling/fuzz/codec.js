// Mutated packets through the decoder. There is one invariant: nothing but `MqttError` escapes, and neither time nor
// memory runs away. Everything follows from the seed.

import { createDecoder, encode, MqttError } from "@tidewire/codec";

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

/** A few changes to one packet, or to one behind another. */
function mutate(bytes, corpus, random) {
  let result = Uint8Array.from(random(3) === 0 ? [...corpus[random(corpus.length)].bytes, ...bytes] : bytes);
  for (let change = random(4); change > 0 && result.length > 0; change -= 1) {
    const at = random(result.length);
    switch (random(5)) {
      case 0:
        result[at] ^= 1 << random(8);
        break;
      case 1:
        result[at] = [0x00, 0x01, 0x7f, 0x80, 0xff][random(5)];
        break;
      case 2:
        result = result.slice(0, at);
        break;
      case 3:
        result = Uint8Array.from([...result.subarray(0, at), random(256), ...result.subarray(at)]);
        break;
      default:
        result = Uint8Array.from([...result.subarray(0, at), ...result.subarray(at + 1)]);
    }
  }
  return result;
}

/** Whole numbers from 0 below a bound: xorshift32, which is enough to choose with. */
function randomFrom(seed) {
  let state = seed | 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
