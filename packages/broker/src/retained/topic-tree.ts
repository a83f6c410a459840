import { hasWildcard } from "@tidewire/codec";
import type { Steps } from "../work/index.ts";

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
  match(filter: string): TopicWalk<Value> {
    return new TopicWalk(this.#root, filter, hasWildcard(filter) ? undefined : this.#values.get(filter));
  }
}

/** A search that can rest anywhere: what it looks at is counted, whether it matches or not. */
export class TopicWalk<Value> {
  readonly #levels: readonly string[];
  /** Where the search stands: below each node on the way, the children that are still to be looked at. */
  readonly #path: Branch<Value>[] = [];
  #found: Value | undefined;

  constructor(root: Node<Value>, filter: string, exact: Value | undefined) {
    this.#levels = filter.split("/");
    this.#found = exact;
    if (hasWildcard(filter)) {
      this.#enter(root, 0, { left: 0 });
    }
  }

  /** Whether all has been looked at. */
  get done(): boolean {
    return this.#path.length === 0 && this.#found === undefined;
  }

  /** The next value. Undefined when there is none any more, or when the steps are used up: `done` tells which. */
  next(steps: Steps): Value | undefined {
    for (;;) {
      const found = this.#found;
      if (found !== undefined) {
        this.#found = undefined;
        return found;
      }
      const branch = this.#path.at(-1);
      if (branch === undefined || steps.left <= 0) {
        return undefined;
      }
      this.#look(branch, steps);
    }
  }

  /** At one child. */
  #look(branch: Branch<Value>, steps: Steps): void {
    steps.left -= 1;
    const { done, value: name } = branch.names.next();
    if (done === true) {
      this.#path.pop();
      return;
    }
    // A leading wildcard does not match `$SYS` and its like [MQTT-4.7.2-1].
    const child = branch.top && name.startsWith("$") ? undefined : branch.children.get(name);
    if (child !== undefined) {
      this.#enter(child, branch.depth, steps);
    }
  }

  /** Goes down as far as the filter says by name; `depth` levels of it are behind. */
  #enter(start: Node<Value>, depth: number, steps: Steps): void {
    let node = start;
    for (let index = depth; ; index += 1) {
      const level = this.#levels[index];
      if (level === undefined || level === "#") {
        this.#found = node.value;
      }
      if (level === undefined || node.children === undefined) {
        return;
      }
      if (level === "#" || level === "+") {
        const { children } = node;
        const top = this.#path.length === 0 && index === 0;
        this.#path.push({ children, names: children.keys(), depth: level === "#" ? index : index + 1, top });
        return;
      }
      const child = node.children.get(level);
      if (child === undefined) {
        return;
      }
      node = child;
      steps.left -= 1;
    }
  }
}

interface Node<Value> {
  children: Map<string, Node<Value>> | undefined;
  value: Value | undefined;
}

interface Branch<Value> {
  readonly children: Map<string, Node<Value>>;
  readonly names: IterableIterator<string>;
  /** Levels of the filter that are behind each child. */
  readonly depth: number;
  /** Whether these are first levels. */
  readonly top: boolean;
}

function newNode<Value>(): Node<Value> {
  return { children: undefined, value: undefined };
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
