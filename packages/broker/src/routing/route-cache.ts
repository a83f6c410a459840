import { hasWildcard, matches } from "@tidewire/codec";
import { CACHED_TOPIC_LENGTH, ROUTE_CHANGES_KEPT } from "../limits.ts";
import type { SharedGroup } from "./shared-group.ts";
import type { RouteTarget } from "./subscription.ts";

/** Who gets the publications of one topic. */
export interface Route {
  readonly targets: readonly RouteTarget[];
  readonly groups: readonly SharedGroup[];
}

interface CachedRoute extends Route {
  /** Changes before this one are known not to matter to it. */
  generation: number;
}

/**
 * Routes of topics in use. A changed subscription without a wildcard drops the route of its one topic. One with a wildcard
 * is noted, and each route is held against it when it is next asked for: those that it does not match stay, and nothing
 * has to be searched for those that it does.
 */
export class RouteCache {
  readonly #routes = new Map<string, CachedRoute>();
  readonly #maximumSize: number;
  /** Topics, oldest first. Kept: a new iterator would pass all that have left the front of the map. */
  #oldest: IterableIterator<string>;
  #size = 0;
  #generation = 0;
  /** The latest filters with wildcards that came or went, each at the place of its generation. */
  readonly #changes: string[] = [];

  constructor(maximumSize: number) {
    this.#maximumSize = maximumSize;
    this.#oldest = this.#routes.keys();
  }

  /** In receivers, as `maximumSize`. */
  get size(): number {
    return this.#size;
  }

  get(topic: string): Route | undefined {
    const route = this.#routes.get(topic);
    if (route === undefined || route.generation === this.#generation) {
      return route;
    }
    return this.#holds(topic, route) ? route : undefined;
  }

  put(topic: string, route: Route): Route {
    const cached: CachedRoute = { targets: route.targets, groups: route.groups, generation: this.#generation };
    const size = sizeOf(cached);
    if (topic.length <= CACHED_TOPIC_LENGTH && size <= this.#maximumSize) {
      this.#delete(topic);
      this.#routes.set(topic, cached);
      this.#size += size;
      this.#evict();
    }
    return cached;
  }

  /** A subscription with this filter came or went. */
  forget(filter: string): void {
    if (hasWildcard(filter)) {
      this.#changes[this.#generation % ROUTE_CHANGES_KEPT] = filter;
      this.#generation += 1;
    } else {
      this.#delete(filter);
    }
  }

  /** Whether a route is still right after the changes since it was. */
  #holds(topic: string, route: CachedRoute): boolean {
    if (this.#generation - route.generation > ROUTE_CHANGES_KEPT) {
      return false;
    }
    for (let generation = route.generation; generation < this.#generation; generation += 1) {
      if (matches(this.#changes[generation % ROUTE_CHANGES_KEPT]!, topic)) {
        return false;
      }
    }
    route.generation = this.#generation;
    return true;
  }

  #delete(topic: string): void {
    const route = this.#routes.get(topic);
    if (route !== undefined) {
      this.#routes.delete(topic);
      this.#size -= sizeOf(route);
    }
  }

  /** Oldest first: a topic still in use is built again and is then the newest. */
  #evict(): void {
    while (this.#size > this.#maximumSize) {
      const { done, value: topic } = this.#oldest.next();
      if (done === true) {
        this.#oldest = this.#routes.keys();
      } else {
        this.#delete(topic);
      }
    }
  }
}

/** In receivers, with a constant for the topic itself. */
function sizeOf(route: Route): number {
  return route.targets.length + route.groups.length + 8;
}
