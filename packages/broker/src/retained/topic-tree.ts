/**
 * Topic names with a value each, matched against topic filters: the mirror image of `FilterTree`. A wildcard filter
 * visits only the branches it can match, and matches come one by one, so that `#` over a million topics costs memory
 * for none of them.
 */
export class TopicTree<Value> {
  readonly #values = new Map<string, Value>();
  readonly #root: Node<Value> = newNode();

  get size(): number {
    return this.#values.size;
  }

  get(topic: string): Value | undefined {
    return this.#values.get(topic);
  }

  values(): IterableIterator<Value> {
    return this.#values.values();
  }

  set(topic: string, value: Value): void {
    this.#values.set(topic, value);
    let node = this.#root;
    for (const level of topic.split("/")) {
      node.children ??= new Map();
      let child = node.children.get(level);
      if (child === undefined) {
        child = newNode();
        node.children.set(level, child);
      }
      node = child;
    }
    node.value = value;
  }

  delete(topic: string): boolean {
    if (!this.#values.delete(topic)) {
      return false;
    }
    deleteBelow(this.#root, topic.split("/"), 0);
    return true;
  }

  /** Values of the topics that match, found while they are asked for: topics set or deleted meanwhile may or may not come. */
  *match(filter: string): Generator<Value, undefined> {
    const levels = filter.split("/");
    if (!levels.includes("+") && levels.at(-1) !== "#") {
      const value = this.#values.get(filter);
      if (value !== undefined) {
        yield value;
      }
      return;
    }
    yield* matchBelow(this.#root, levels, 0, true);
  }
}

interface Node<Value> {
  children: Map<string, Node<Value>> | undefined;
  value: Value | undefined;
}

function newNode<Value>(): Node<Value> {
  return { children: undefined, value: undefined };
}

function* matchBelow<Value>(
  node: Node<Value>,
  levels: readonly string[],
  depth: number,
  top: boolean,
): Generator<Value, undefined> {
  const level = levels[depth];
  if (node.value !== undefined && (level === undefined || level === "#")) {
    yield node.value;
  }
  if (level === undefined || node.children === undefined) {
    return;
  }
  if (level !== "+" && level !== "#") {
    const child = node.children.get(level);
    if (child !== undefined) {
      yield* matchBelow(child, levels, depth + 1, false);
    }
    return;
  }
  for (const [name, child] of node.children) {
    // A leading wildcard does not match `$SYS` and its like [MQTT-4.7.2-1].
    if (!(top && name.startsWith("$"))) {
      yield* matchBelow(child, levels, level === "#" ? depth : depth + 1, false);
    }
  }
}

/** Removes the value and the nodes that only led to it. */
function deleteBelow<Value>(node: Node<Value>, levels: readonly string[], depth: number): void {
  const level = levels[depth];
  if (level === undefined) {
    node.value = undefined;
    return;
  }
  const child = node.children!.get(level)!;
  deleteBelow(child, levels, depth + 1);
  if (child.value === undefined && child.children === undefined) {
    node.children!.delete(level);
    if (node.children!.size === 0) {
      node.children = undefined;
    }
  }
}
