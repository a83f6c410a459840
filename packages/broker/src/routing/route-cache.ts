import { CACHED_TOPIC_LENGTH } from "../limits.ts";
import { hasWildcard } from "./filter-tree.ts";
import type { SharedGroup } from "./shared-group.ts";
import type { RouteTarget } from "./subscription.ts";

/** Who gets the publications of one topic. Never changed once built. */
export interface Route {
  readonly targets: readonly RouteTarget[];
  readonly groups: readonly SharedGroup[];
}

interface CachedRoute extends Route {
  readonly generation: number;
}

/**
 * Routes of topics in use. A changed subscription without a wildcard drops the route of its one topic; one with a
 * wildcard makes all earlier routes stale by a new generation, since finding those it matches would cost more than
 * building them again when they are next asked for.
 */
export class RouteCache {
  readonly #routes = new Map<string, CachedRoute>();
  readonly #maximumSize: number;
  #size = 0;
  #generation = 0;

  constructor(maximumSize: number) {
    this.#maximumSize = maximumSize;
  }

  get(topic: string): Route | undefined {
    const route = this.#routes.get(topic);
    return route !== undefined && route.generation === this.#generation ? route : undefined;
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
      this.#generation += 1;
    } else {
      this.#delete(filter);
    }
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
    for (const topic of this.#routes.keys()) {
      if (this.#size <= this.#maximumSize) {
        break;
      }
      this.#delete(topic);
    }
  }
}

/** In receivers, with a constant for the topic itself. */
function sizeOf(route: Route): number {
  return route.targets.length + route.groups.length + 8;
}
