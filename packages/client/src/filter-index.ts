import { parseSharedFilter } from "@tidewire/codec";

/**
 * Topic filters and what is kept under each. Exact filters are looked up, those with wildcards walked in a trie, and
 * the result for a topic is remembered until a filter is added or removed.
 */
export class FilterIndex<Value> {
  readonly #values = new Map<string, Value>();
  /** Below the topic text of exact filters: more than one only through shared subscriptions. */
  readonly #exact = new Map<string, Value[]>();
  readonly #root: Node<Value> = createNode();
  readonly #remembered = new Map<string, readonly Value[]>();

  get size(): number {
    return this.#values.size;
  }

  get(filter: string): Value | undefined {
    return this.#values.get(filter);
  }

  values(): IterableIterator<Value> {
    return this.#values.values();
  }

  set(filter: string, value: Value): void {
    this.delete(filter);
    this.#values.set(filter, value);
    this.#bucket(filter).push(value);
  }

  delete(filter: string): void {
    const value = this.#values.get(filter);
    if (value === undefined) return;
    this.#values.delete(filter);
    const bucket = this.#bucket(filter);
    bucket.splice(bucket.indexOf(value), 1);
    if (bucket.length === 0) this.#prune(topicPart(filter));
  }

  /** What is kept under every filter that matches; do not change the array. */
  match(topic: string): readonly Value[] {
    let found = this.#remembered.get(topic);
    if (found === undefined) {
      const values = [...(this.#exact.get(topic) ?? [])];
      collect(this.#root, topic.split("/"), 0, topic.startsWith("$"), values);
      if (this.#remembered.size >= rememberedTopics) this.#remembered.clear();
      this.#remembered.set(topic, values);
      found = values;
    }
    return found;
  }

  /** The list that a filter's values are in, made when it is missing. Forgets what was remembered. */
  #bucket(filter: string): Value[] {
    this.#remembered.clear();
    const topic = topicPart(filter);
    if (!hasWildcard(topic)) {
      return getOrMake(this.#exact, topic, () => []);
    }
    let node = this.#root;
    for (const level of topic.split("/")) node = getOrMake(node.children, level, createNode<Value>);
    return node.values;
  }

  #prune(topic: string): void {
    if (!hasWildcard(topic)) {
      this.#exact.delete(topic);
      return;
    }
    const levels = topic.split("/");
    const path = [this.#root];
    for (const level of levels) path.push(path.at(-1)!.children.get(level)!);
    for (let depth = levels.length; depth > 0; depth--) {
      const node = path[depth]!;
      if (node.values.length > 0 || node.children.size > 0) return;
      path[depth - 1]!.children.delete(levels[depth - 1]!);
    }
  }
}

interface Node<Value> {
  readonly children: Map<string, Node<Value>>;
  readonly values: Value[];
}

/** Topics whose result is remembered; then all are forgotten. */
const rememberedTopics = 1_000;

function createNode<Value>(): Node<Value> {
  return { children: new Map(), values: [] };
}

function getOrMake<Key, Kept>(map: Map<Key, Kept>, key: Key, make: () => Kept): Kept {
  let kept = map.get(key);
  if (kept === undefined) {
    kept = make();
    map.set(key, kept);
  }
  return kept;
}

function collect<Value>(
  node: Node<Value>,
  levels: readonly string[],
  depth: number,
  reserved: boolean,
  into: Value[],
): void {
  // Wildcards at the first level do not match topics that begin with "$" [MQTT-4.7.2-1].
  const wildcards = depth > 0 || !reserved;
  // "a/#" matches "a" as well.
  if (wildcards) into.push(...(node.children.get("#")?.values ?? []));
  if (depth === levels.length) {
    into.push(...node.values);
    return;
  }
  const exact = node.children.get(levels[depth]!);
  if (exact !== undefined) collect(exact, levels, depth + 1, reserved, into);
  const single = wildcards ? node.children.get("+") : undefined;
  if (single !== undefined) collect(single, levels, depth + 1, reserved, into);
}

function hasWildcard(filter: string): boolean {
  return filter.includes("+") || filter.includes("#");
}

/** Of a shared subscription, the filter behind the group. */
function topicPart(filter: string): string {
  return parseSharedFilter(filter)?.filter ?? filter;
}
