// Layers of a graph: what stands on nothing is at level 0, everything else one above the highest that it stands on.

/** @typedef {Map<string, Set<string>>} Graph Each name with those that it imports. */

/** Sets of names that import each other in a circle. */
export function circles(graph) {
  const reach = new Map([...graph.keys()].map((name) => [name, reachable(graph, name)]));
  const found = [];
  const seen = new Set();
  for (const name of graph.keys()) {
    if (seen.has(name) || !reach.get(name).has(name)) {
      continue;
    }
    const circle = [...reach.get(name)].filter((other) => reach.get(other).has(name)).sort();
    for (const member of circle) {
      seen.add(member);
    }
    found.push(circle);
  }
  return found;
}

/** @returns {{ name: string, level: number, on: string[] }[]} Highest first; `on` leaves out what is reached through another. */
export function layers(graph) {
  const levels = new Map();
  const level = (name, path) => {
    if (!levels.has(name)) {
      const below = [...(graph.get(name) ?? [])].filter((other) => !path.has(other));
      levels.set(name, Math.max(-1, ...below.map((other) => level(other, new Set([...path, other])))) + 1);
    }
    return levels.get(name);
  };
  return [...graph.keys()]
    .map((name) => ({ name, level: level(name, new Set([name])), on: direct(graph, name) }))
    .sort((a, b) => b.level - a.level || (a.name < b.name ? -1 : 1));
}

function direct(graph, name) {
  const all = [...(graph.get(name) ?? [])];
  return all
    .filter(
      (target) =>
        !all.some(
          (other) => other !== target && reachable(graph, other).has(target) && !reachable(graph, target).has(other),
        ),
    )
    .sort();
}

function reachable(graph, from) {
  const found = new Set();
  const open = [...(graph.get(from) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (!found.has(next)) {
      found.add(next);
      open.push(...(graph.get(next) ?? []));
    }
  }
  return found;
}
