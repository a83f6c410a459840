// How bytes are changed, and how to choose, both from a seed alone.

/** A few changes to one packet, or to one behind another. */
export function mutate(bytes, corpus, random) {
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
export function randomFrom(seed) {
  let state = seed | 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}
