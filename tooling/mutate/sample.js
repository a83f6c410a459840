/** `size` of the numbers below `count`, the same for the same seed, in ascending order. */
export function sampleOf(count, size, seed) {
  const random = mulberry32(seed);
  const numbers = Array.from({ length: count }, (_, index) => index);
  for (let index = 0; index < Math.min(size, count); index += 1) {
    const other = index + Math.floor(random() * (count - index));
    [numbers[index], numbers[other]] = [numbers[other], numbers[index]];
  }
  return numbers.slice(0, size).sort((a, b) => a - b);
}

/** A small generator with a good spread (public domain, by Tommy Ettinger). */
function mulberry32(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
