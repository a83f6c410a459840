import { hasWildcard, sharedPrefixLength } from "@tidewire/codec";

/** A filter, and its shape as `filterShape` has it. */
export interface Shaped {
  readonly filter: string;
  readonly shape: string;
}

/**
 * What is kept for each topic filter. Of the filters with wildcards at the same places at most one matches a topic,
 * and it is the topic itself with those wildcards put in: so a topic takes one look-up for each shape in use, however
 * many filters there are. The result for a topic is remembered until a filter is added or removed.
 */
export class FilterIndex<Entry extends Shaped> {
  readonly #entries = new Map<string, Entry>();
  /** How many entries have each shape. */
  readonly #shapes = new Map<string, number>();
  readonly #remembered = new Map<string, readonly Entry[]>();

  get(filter: string): Entry | undefined {
    return this.#entries.get(filter);
  }

  values(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  /** Adds an entry, whose filter has none yet. */
  add(entry: Entry): void {
    this.#entries.set(entry.filter, entry);
    this.#count(entry.shape, 1);
  }

  delete({ filter, shape }: Entry): void {
    if (this.#entries.delete(filter)) {
      this.#count(shape, -1);
    }
  }

  /** Every entry whose filter matches. */
  match(topic: string): readonly Entry[] {
    let found = this.#remembered.get(topic);
    if (found === undefined) {
      const levels = topic.split("/");
      found = [...this.#shapes.keys()].flatMap((shape) => this.#entries.get(shaped(shape, levels)) ?? []);
      if (this.#remembered.size >= rememberedTopics) {
        this.#remembered.clear();
      }
      this.#remembered.set(topic, found);
    }
    return found;
  }

  #count(shape: string, change: number): void {
    const count = (this.#shapes.get(shape) ?? 0) + change;
    if (count > 0) {
      this.#shapes.set(shape, count);
    } else {
      this.#shapes.delete(shape);
    }
    // Clearing makes a new table even of an empty one, which counts when thousands of filters are added.
    if (this.#remembered.size > 0) {
      this.#remembered.clear();
    }
  }
}

/** Topics whose result is remembered; then all are forgotten. */
const rememberedTopics = 1_000;

/**
 * The places of a filter's wildcards, and the group that it is shared in: `a/+/b/#` has the shape `/+//#`,
 * `$share/group/a/+` has `$share/group//+`, and a filter without either the empty one.
 */
export function filterShape(filter: string): string {
  const start = sharedPrefixLength(filter);
  const wildcards = hasWildcard(filter)
    ? filter
        .slice(start)
        .replace(/[^/+#]+/g, "")
        .replace(/\/+$/, "")
    : "";
  return filter.slice(0, start) + wildcards;
}

/** The filter of this shape that matches the topic; one that nobody can have when none does. */
function shaped(shape: string, levels: readonly string[]): string {
  const start = sharedPrefixLength(shape);
  const places = shape.slice(start).split("/");
  const all = places.at(-1) === "#";
  // "a/#" matches "a" as well. Wildcards at the first level do not match topics that begin with "$" [MQTT-4.7.2-1],
  // and what begins with "$share" is a filter only together with its group.
  const reserved = start === 0 && levels[0] === "$share";
  const none = places.length > levels.length + Number(all) || (places[0] !== "" && levels[0]!.startsWith("$"));
  if (reserved || none) {
    return "";
  }
  const filled = places.map((wildcard, depth) => wildcard || levels[depth]);
  return shape.slice(0, start) + (all ? filled : [...filled, ...levels.slice(places.length)]).join("/");
}
