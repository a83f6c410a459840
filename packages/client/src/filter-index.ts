import { parseSharedFilter } from "@tidewire/codec";

/**
 * What is kept for each topic filter. Of the filters with wildcards at the same places at most one matches a topic,
 * and it is the topic itself with those wildcards put in: so a topic takes one look-up for each shape in use, however
 * many filters there are. The result for a topic is remembered until a filter is added or removed.
 */
export class FilterIndex<Entry extends { readonly filter: string }> {
  /** By the filter, without its group when it is shared. Lists are replaced, never changed. */
  readonly #entries = new Map<string, readonly Entry[]>();
  /** How many of those keys have each shape. */
  readonly #shapes = new Map<string, number>();
  readonly #remembered = new Map<string, readonly Entry[]>();

  get(filter: string): Entry | undefined {
    return this.#entries.get(filterParts(filter).filter)?.find((entry) => entry.filter === filter);
  }

  values(): readonly Entry[] {
    return [...this.#entries.values()].flat();
  }

  /** Adds an entry, whose filter has none yet. */
  add(entry: Entry): void {
    const { filter } = filterParts(entry.filter);
    const others = this.#entries.get(filter);
    this.#entries.set(filter, others === undefined ? [entry] : [...others, entry]);
    if (others === undefined) this.#count(filter, 1);
    this.#forget();
  }

  delete(entry: Entry): void {
    const { filter } = filterParts(entry.filter);
    const others = (this.#entries.get(filter) ?? []).filter((other) => other !== entry);
    if (others.length > 0) this.#entries.set(filter, others);
    else if (this.#entries.delete(filter)) this.#count(filter, -1);
    this.#forget();
  }

  /** Every entry whose filter matches. */
  match(topic: string): readonly Entry[] {
    let found = this.#remembered.get(topic);
    if (found === undefined) {
      const levels = topic.split("/");
      found = [...this.#shapes.keys()].flatMap((shape) => this.#entries.get(shaped(shape, levels)) ?? []);
      if (this.#remembered.size >= rememberedTopics) this.#remembered.clear();
      this.#remembered.set(topic, found);
    }
    return found;
  }

  #forget(): void {
    // Clearing makes a new table even of an empty one, which counts when thousands of filters are added.
    if (this.#remembered.size > 0) this.#remembered.clear();
  }

  #count(filter: string, change: number): void {
    const shape = filterShape(filter);
    const count = (this.#shapes.get(shape) ?? 0) + change;
    if (count > 0) this.#shapes.set(shape, count);
    else this.#shapes.delete(shape);
  }
}

/** Topics whose result is remembered; then all are forgotten. */
const rememberedTopics = 1_000;

/** The places of a filter's wildcards: `a/+/b/#` has the shape `/+//#`, a filter without wildcards the empty one. */
export function filterShape(filter: string): string {
  if (!/[+#]/.test(filter)) return "";
  return filter.replace(/[^/+#]+/g, "").replace(/\/+$/, "");
}

/** A filter, and the group that it is shared in. */
export function filterParts(filter: string): { readonly filter: string; readonly group?: string } {
  return parseSharedFilter(filter) ?? { filter };
}

/** The filter of this shape that matches the topic; one that nobody can have when none does. */
function shaped(shape: string, levels: readonly string[]): string {
  if (shape === "") return levels.join("/");
  const places = shape.split("/");
  const all = places.at(-1) === "#";
  // "a/#" matches "a" as well. Wildcards at the first level do not match topics that begin with "$" [MQTT-4.7.2-1].
  const none = places.length > levels.length + Number(all) || (places[0] !== "" && levels[0]!.startsWith("$"));
  if (none) return "";
  const filled = places.map((wildcard, depth) => wildcard || levels[depth]);
  return (all ? filled : [...filled, ...levels.slice(places.length)]).join("/");
}
