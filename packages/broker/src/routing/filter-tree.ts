import { hasWildcard } from "@tidewire/codec";
import type { Steps } from "../work/index.ts";

/**
 * Topic filters with a value each, matched against topic names. Filters without a wildcard are found by one lookup,
 * the others by walking a tree level by level, so that a match costs nothing for filters that do not match.
 */
export class FilterTree<Value> {
  readonly #exact = new Map<string, Value>();
  readonly #root: Node<Value> = newNode();
  #wildcards = 0;

  get size(): number {
    return this.#exact.size + this.#wildcards;
  }

  get(filter: string): Value | undefined {
    if (!hasWildcard(filter)) {
      return this.#exact.get(filter);
    }
    let node: Node<Value> | undefined = this.#root;
    for (const level of filter.split("/")) {
      node = childOf(node, level);
      if (node === undefined) {
        return undefined;
      }
    }
    return node.value;
  }

  set(filter: string, value: Value): void {
    if (!hasWildcard(filter)) {
      this.#exact.set(filter, value);
      return;
    }
    let node = this.#root;
    for (const level of filter.split("/")) {
      node = childOf(node, level) ?? addChild(node, level);
    }
    if (node.value === undefined) {
      this.#wildcards += 1;
    }
    node.value = value;
  }

  delete(filter: string): boolean {
    if (!hasWildcard(filter)) {
      return this.#exact.delete(filter);
    }
    const deleted = deleteBelow(this.#root, filter.split("/"), 0);
    if (deleted) {
      this.#wildcards -= 1;
    }
    return deleted;
  }

  /** The values of all filters that match this topic name. Each node that is looked at counts as a step. */
  match(topic: string, steps: Steps): Value[] {
    const values: Value[] = [];
    const exact = this.#exact.get(topic);
    if (exact !== undefined) {
      values.push(exact);
    }
    if (this.#wildcards > 0) {
      // A leading wildcard does not match `$SYS` and its like [MQTT-4.7.2-1].
      matchBelow(this.#root, topic.split("/"), 0, topic.startsWith("$"), values, steps);
    }
    return values;
  }
}

interface Node<Value> {
  /** By level; `#` is a key like any other, since no topic name has such a level. */
  children: Map<string, Node<Value>> | undefined;
  /** Below `+`: apart from the others, since a map for it alone would be most of what many a filter takes. */
  single: Node<Value> | undefined;
  value: Value | undefined;
}

function newNode<Value>(): Node<Value> {
  return { children: undefined, single: undefined, value: undefined };
}

function childOf<Value>(node: Node<Value>, level: string): Node<Value> | undefined {
  return level === "+" ? node.single : node.children?.get(level);
}

function addChild<Value>(node: Node<Value>, level: string): Node<Value> {
  const child = newNode<Value>();
  if (level === "+") {
    node.single = child;
  } else {
    node.children ??= new Map();
    node.children.set(level, child);
  }
  return child;
}

function removeChild<Value>(node: Node<Value>, level: string): void {
  if (level === "+") {
    node.single = undefined;
  } else if (node.children!.delete(level) && node.children!.size === 0) {
    node.children = undefined;
  }
}

/** Recursion is as deep as the topic, which `BrokerLimits.topicLevels` bounds. */
function matchBelow<Value>(
  node: Node<Value>,
  levels: readonly string[],
  depth: number,
  literalOnly: boolean,
  values: Value[],
  steps: Steps,
): void {
  steps.left -= 1;
  const children = node.children;
  if (!literalOnly) {
    // `sport/#` matches `sport` too: the rest may be no level at all.
    const rest = children?.get("#")?.value;
    if (rest !== undefined) {
      values.push(rest);
    }
  }
  if (depth === levels.length) {
    if (node.value !== undefined) {
      values.push(node.value);
    }
    return;
  }
  const literal = children?.get(levels[depth]!);
  if (literal !== undefined) {
    matchBelow(literal, levels, depth + 1, false, values, steps);
  }
  if (node.single !== undefined && !literalOnly) {
    matchBelow(node.single, levels, depth + 1, false, values, steps);
  }
}

/** Removes the value and the nodes that only led to it. */
function deleteBelow<Value>(node: Node<Value>, levels: readonly string[], depth: number): boolean {
  if (depth === levels.length) {
    const existed = node.value !== undefined;
    node.value = undefined;
    return existed;
  }
  const level = levels[depth]!;
  const child = childOf(node, level);
  if (child === undefined || !deleteBelow(child, levels, depth + 1)) {
    return false;
  }
  if (child.value === undefined && child.children === undefined && child.single === undefined) {
    removeChild(node, level);
  }
  return true;
}
