/**
 * What of `known` somebody may have meant who wrote `text`: the one with the fewest letters to change. Undefined when
 * nothing is near.
 */
export function nearest(text: string, known: Iterable<string>): string | undefined {
  // Whoever wrote something this long meant none of our words, and the table below would be large.
  if (text.length > LONGEST) {
    return undefined;
  }
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const changes = distance(text.toLowerCase(), candidate.toLowerCase());
    if (changes < least && changes <= Math.max(1, Math.ceil(candidate.length / 3))) {
      [best, least] = [candidate, changes];
    }
  }
  return best;
}

/** ` (did you mean "x"?)`, or nothing. */
export function didYouMean(text: string, known: Iterable<string>): string {
  const found = nearest(text, known);
  return found === undefined ? "" : ` (did you mean "${found}"?)`;
}

const LONGEST = 64;

/** Letters to insert, leave out, replace, or swap with the next one. */
function distance(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = at(last, j - 1) + (one[i - 1] === other[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
          ? at(beforeLast, j - 2) + 1
          : Number.POSITIVE_INFINITY;
      row.push(Math.min(at(last, j) + 1, at(row, j - 1) + 1, replaced, swapped));
    }
    [beforeLast, last] = [last, row];
  }
  return at(last, other.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
