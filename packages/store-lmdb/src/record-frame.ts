import { crc32 } from "node:zlib";

/*
 * Every record begins with its kind and ends with its checksum: what the disk changed is not taken for what was
 * written, and a record that is found without its table still says where it belongs.
 */

/** The first byte. A change of layout within one format of the whole store takes a new number. */
export const RECORD_KINDS = {
  session: 0x11,
  subscription: 0x21,
  entry: 0x31,
  outgoing: 0x41,
  retained: 0x51,
  body: 0x61,
  clock: 0x71,
} as const;

export type RecordKind = keyof typeof RECORD_KINDS;

export const CHECKSUM_BYTES = 4;

/** Of the bytes before the checksum. Short records, which most are, cost less here than a call of the native one. */
export function checksum(bytes: Uint8Array): number {
  const { length } = bytes;
  if (length > SHORT_BYTES) {
    return crc32(bytes);
  }
  SCRATCH.set(bytes);
  let even = length;
  let odd = ODD_SEED;
  const pairs = length >> 3;
  for (let pair = 0; pair < pairs; pair += 1) {
    even = Math.imul(even ^ WORDS[pair * 2]!, EVEN_FACTOR);
    even ^= even >>> 15;
    odd = Math.imul(odd ^ WORDS[pair * 2 + 1]!, ODD_FACTOR);
    odd ^= odd >>> 13;
  }
  for (let index = pairs << 3; index < length; index += 1) {
    even = Math.imul(even ^ SCRATCH[index]!, EVEN_FACTOR);
    even ^= even >>> 15;
  }
  return (even ^ odd) >>> 0;
}

const SHORT_BYTES = 1024;
const SCRATCH = new Uint8Array(SHORT_BYTES);
/** In the machine's order, as everything else in the database's file. */
const WORDS = new Int32Array(SCRATCH.buffer);
// Odd numbers, so that no step loses a bit: a change of any one word changes the result.
const EVEN_FACTOR = 0x9e3779b1;
const ODD_FACTOR = 0x85ebca6b;
const ODD_SEED = 0x2545f491;
