import type { QoS } from "@tidewire/codec";
import type { ClusterBackend } from "../cluster/index.ts";
import { type BrokerLimits, RECEIVERS_PER_STEP } from "../limits.ts";
import type { Encodings, IncomingPublication } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { Steps, Work } from "../work/index.ts";
import { FilterTree } from "./filter-tree.ts";
import { type Route, RouteCache } from "./route-cache.ts";
import { SharedGroup } from "./shared-group.ts";
import { type RouteTarget, type Subscriber, type Subscription, SubscriptionList } from "./subscription.ts";

/** What a router needs of its broker. */
export interface RouterNeeds {
  /** Who wants to know which topic filters have subscribers. */
  readonly cluster: Pick<ClusterBackend, "subscribed" | "unsubscribed">;
  readonly limits: Pick<BrokerLimits, "routeCacheSize">;
  readonly metrics: MetricsRecorder;
  readonly work: Pick<Work, "spend">;
}

/** Everything subscribed with one topic filter. */
class FilterEntry extends SubscriptionList {
  /** Shared subscriptions, which are not in the list, by group name. */
  groups: Map<string, SharedGroup> | undefined = undefined;
}

/** Who gets what: subscriptions by topic filter, and the publications of each topic to all that match. */
export class Router {
  readonly #filters = new FilterTree<FilterEntry>();
  readonly #cache: RouteCache;
  readonly #needs: RouterNeeds;
  readonly #steps: Steps = { left: 0 };
  subscriptionCount = 0;
  groupCount = 0;

  constructor(needs: RouterNeeds) {
    this.#cache = new RouteCache(needs.limits.routeCacheSize);
    this.#needs = needs;
  }

  /** `filter` without `$share/{group}/`, which `group` names. */
  add(subscription: Subscription, filter: string, group: string | undefined): void {
    let entry = this.#filters.get(filter);
    if (entry === undefined) {
      entry = new FilterEntry();
      this.#filters.set(filter, entry);
      this.#needs.cluster.subscribed(filter);
    }
    this.subscriptionCount += 1;
    if (group === undefined) {
      entry.add(subscription);
      this.#cache.forget(filter);
      return;
    }
    entry.groups ??= new Map();
    let shared = entry.groups.get(group);
    if (shared === undefined) {
      shared = new SharedGroup(subscription.filter);
      entry.groups.set(group, shared);
      this.groupCount += 1;
      // Later members change the group, not the routes to it.
      this.#cache.forget(filter);
    }
    subscription.sharedFilter = subscription.filter;
    shared.members.add(subscription);
  }

  remove(subscription: Subscription, filter: string, group: string | undefined): void {
    const entry = this.#filters.get(filter)!;
    this.subscriptionCount -= 1;
    if (group === undefined) {
      entry.remove(subscription);
      this.#cache.forget(filter);
    } else {
      const shared = entry.groups!.get(group)!;
      shared.leave(subscription);
      if (shared.members.items.length > 0) {
        return;
      }
      entry.groups!.delete(group);
      this.groupCount -= 1;
      this.#cache.forget(filter);
      if (entry.groups!.size === 0) {
        entry.groups = undefined;
      }
    }
    if (entry.items.length === 0 && entry.groups === undefined) {
      this.#filters.delete(filter);
      this.#needs.cluster.unsubscribed(filter);
    }
  }

  group(filter: string, group: string): SharedGroup | undefined {
    return this.#filters.get(filter)?.groups?.get(group);
  }

  /**
   * Hands the publication to every receiver; returns how many there were. When one cannot take it, all others get it, and
   * then the error is thrown: whoever published it must not be told that everyone has it.
   */
  publish(publication: IncomingPublication, encodings: Encodings): number {
    const { targets, groups } = this.#route(publication.topic);
    const publisher = publication.publisher;
    let receivers = targets.length;
    let failures: unknown[] | undefined;
    for (let index = 0; index < targets.length; index += 1) {
      let target: RouteTarget | undefined = targets[index]!;
      if (target.noLocal && publisher !== undefined && publisher === target.subscriber.clientId) {
        target = target.own;
        if (target === undefined) {
          receivers -= 1;
          continue;
        }
      }
      try {
        target.subscriber.deliver(publication, target, encodings);
      } catch (error) {
        failures ??= [];
        failures.push(error);
      }
    }
    for (let index = 0; index < groups.length; index += 1) {
      try {
        if (groups[index]!.deliver(publication, encodings)) {
          receivers += 1;
        } else {
          // No member has room.
          this.#needs.metrics.droppedQueueFull += 1;
        }
      } catch (error) {
        failures ??= [];
        failures.push(error);
      }
    }
    const handed = targets.length + groups.length;
    if (handed > MANY_RECEIVERS) {
      this.#count(handed);
    }
    if (failures !== undefined) {
      throw failures[0];
    }
    return receivers;
  }

  #count(receivers: number): void {
    this.#needs.work.spend(Math.floor(receivers / RECEIVERS_PER_STEP));
  }

  #route(topic: string): Route {
    return this.#cache.get(topic) ?? this.#cache.put(topic, this.#build(topic));
  }

  /** What it costs depends on what others have subscribed to: whoever needs many new routes gets them turn by turn. */
  #build(topic: string): Route {
    this.#steps.left = 0;
    const entries = this.#filters.match(topic, this.#steps);
    const route = buildRoute(entries);
    const receivers = route.targets.length + route.groups.length;
    this.#needs.work.spend(entries.length + Math.floor(receivers / RECEIVERS_PER_STEP) - this.#steps.left);
    return route;
  }
}

/** Up to this many receivers of one message are not worth counting. */
const MANY_RECEIVERS = 32;

function buildRoute(entries: readonly FilterEntry[]): Route {
  const groups: SharedGroup[] = [];
  for (const entry of entries) {
    if (entry.groups !== undefined) {
      groups.push(...entry.groups.values());
    }
  }
  if (entries.length === 1) {
    return { targets: entries[0]!.items.slice(), groups };
  }
  // Most subscribers are in one entry alone, and those of the largest need not be put together with themselves.
  const largest = entries.reduce((a, b) => (b.items.length > a.items.length ? b : a), NOBODY);
  const others = new Map<Subscriber, Subscription[]>();
  for (const entry of entries) {
    for (const subscription of entry === largest ? NONE : entry.items) {
      const known = others.get(subscription.subscriber);
      if (known === undefined) {
        others.set(subscription.subscriber, [subscription]);
      } else {
        known.push(subscription);
      }
    }
  }
  const targets: RouteTarget[] = [];
  for (const subscription of largest.items) {
    const overlapping = others.get(subscription.subscriber);
    if (overlapping === undefined) {
      targets.push(subscription);
    } else {
      others.delete(subscription.subscriber);
      targets.push(merge([...overlapping, subscription]));
    }
  }
  for (const subscriptions of others.values()) {
    targets.push(merge(subscriptions));
  }
  return { targets, groups };
}

const NOBODY = new FilterEntry();
const NONE: readonly Subscription[] = [];

/**
 * Overlapping subscriptions give one copy, with the highest QoS among them [MQTT-3.3.4-2] and all their Subscription
 * Identifiers [MQTT-3.3.4-4]; for the subscriber's own messages only those without No Local count.
 */
function merge(subscriptions: readonly Subscription[]): RouteTarget {
  const first = subscriptions[0]!;
  if (subscriptions.length === 1) {
    return first;
  }
  let qos: QoS = 0;
  let retainAsPublished = false;
  const identifiers: number[] = [];
  for (const subscription of subscriptions) {
    qos = subscription.qos > qos ? subscription.qos : qos;
    retainAsPublished ||= subscription.retainAsPublished;
    identifiers.push(...(subscription.identifiers ?? []));
  }
  const local = subscriptions.filter((subscription) => !subscription.noLocal);
  const noLocal = local.length < subscriptions.length;
  return {
    subscriber: first.subscriber,
    qos,
    retainAsPublished,
    identifiers: identifiers.length === 0 ? undefined : identifiers,
    noLocal,
    own: noLocal && local.length > 0 ? merge(local) : undefined,
    sharedFilter: undefined,
  };
}
