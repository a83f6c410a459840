/**
 * The bytes that all cases send: each depends on its place in the stream, so that one lost, doubled or moved shows at
 * once, and neither end has to keep what it sent.
 */
export function patternBytes(position: number, length: number): Uint8Array {
  const start = position % period;
  // A view: making 100 MB of pattern costs nothing, and a transport that changes what it was given is found out.
  if (start + length <= table.length) {
    return table.subarray(start, start + length);
  }
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i += 1) {
    bytes[i] = patternAt(position + i);
  }
  return bytes;
}

/** Index of the first byte that is not the one for its place; -1 when all are right. */
export function firstWrong(bytes: Uint8Array, position: number): number {
  let at = position % period;
  for (let i = 0; i < bytes.length; i += 1) {
    if (bytes[i] !== table[at]) {
      return i;
    }
    at = at + 1 === period ? 0 : at + 1;
  }
  return -1;
}

function patternAt(position: number): number {
  const at = position % period;
  return (Math.imul(at, 167) + Math.imul(at >>> 8, 13)) & 0xff;
}

/** A prime, so that no shift by a buffer's size goes unseen. */
const period = 65_521;

const table = Uint8Array.from({ length: period + 1_048_576 }, (_, position) => patternAt(position));
