import { hasWildcard, parseSharedFilter } from "@tidewire/codec";

/**
 * The shapes of a set of filters: how many levels each has, and which of them are wildcards. Of all filters with one shape
 * one at most matches a topic, whose levels then are those of the filter; so the number of shapes bounds both how many of
 * the filters a topic can match and how far a search for them can branch, and tells 50,000 filters of devices, which are
 * harmless, from 200 that all overlap.
 */
export class FilterShapes {
  readonly #counts = new Map<string, number>();

  get size(): number {
    return this.#counts.size;
  }

  has(filter: string): boolean {
    const shape = this.shapeOf(filter);
    return shape === undefined || this.#counts.has(shape);
  }

  add(filter: string): void {
    this.#count(filter, 1);
  }

  remove(filter: string): void {
    this.#count(filter, -1);
  }

  /** Undefined for what does not count here. */
  protected shapeOf(filter: string): string | undefined {
    return hasWildcard(filter) ? wildcardsOf(parseSharedFilter(filter)?.filter ?? filter) : undefined;
  }

  #count(filter: string, change: 1 | -1): void {
    const shape = this.shapeOf(filter);
    if (shape === undefined) {
      return;
    }
    const count = (this.#counts.get(shape) ?? 0) + change;
    if (count === 0) {
      this.#counts.delete(shape);
    } else {
      this.#counts.set(shape, count);
    }
  }
}

/** The same for shared subscriptions: each group has a message of its own to give, so those of each group count apart. */
export class SharedShapes extends FilterShapes {
  protected override shapeOf(filter: string): string | undefined {
    const shared = parseSharedFilter(filter);
    if (shared === undefined) {
      return undefined;
    }
    return `${shared.group}/${hasWildcard(shared.filter) ? wildcardsOf(shared.filter) : ""}`;
  }
}

function wildcardsOf(filter: string): string {
  return filter
    .split("/")
    .map((level) => (level === "+" || level === "#" ? level : "-"))
    .join("");
}
