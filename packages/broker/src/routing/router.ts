import type { QoS } from "@tidewire/codec";
import type { ClusterBackend } from "../cluster/index.ts";
import type { Encodings, IncomingPublication } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import { FilterTree } from "./filter-tree.ts";
import { type Route, RouteCache } from "./route-cache.ts";
import { SharedGroup } from "./shared-group.ts";
import { type RouteTarget, type Subscriber, type Subscription, SubscriptionList } from "./subscription.ts";

/** Who wants to know which topic filters have subscribers. */
type Interest = Pick<ClusterBackend, "subscribed" | "unsubscribed">;

/** Everything subscribed with one topic filter. */
class FilterEntry extends SubscriptionList {
  /** Shared subscriptions, which are not in the list, by group name. */
  groups: Map<string, SharedGroup> | undefined = undefined;
}

/** Who gets what: subscriptions by topic filter, and the publications of each topic to all that match. */
export class Router {
  readonly #filters = new FilterTree<FilterEntry>();
  readonly #cache: RouteCache;
  readonly #metrics: MetricsRecorder;
  readonly #interest: Interest;
  subscriptionCount = 0;
  groupCount = 0;

  constructor(cacheSize: number, metrics: MetricsRecorder, interest: Interest) {
    this.#cache = new RouteCache(cacheSize);
    this.#metrics = metrics;
    this.#interest = interest;
  }

  /** `filter` without `$share/{group}/`, which `group` names. */
  add(subscription: Subscription, filter: string, group: string | undefined): void {
    let entry = this.#filters.get(filter);
    if (entry === undefined) {
      entry = new FilterEntry();
      this.#filters.set(filter, entry);
      this.#interest.subscribed(filter);
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
      const { members } = entry.groups!.get(group)!;
      members.remove(subscription);
      if (members.items.length > 0) {
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
      this.#interest.unsubscribed(filter);
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
          this.#metrics.droppedQueueFull += 1;
        }
      } catch (error) {
        failures ??= [];
        failures.push(error);
      }
    }
    if (failures !== undefined) {
      throw failures[0];
    }
    return receivers;
  }

  #route(topic: string): Route {
    return this.#cache.get(topic) ?? this.#cache.put(topic, buildRoute(this.#filters.match(topic)));
  }
}

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
  const bySubscriber = new Map<Subscriber, Subscription[]>();
  for (const entry of entries) {
    for (const subscription of entry.items) {
      const others = bySubscriber.get(subscription.subscriber);
      if (others === undefined) {
        bySubscriber.set(subscription.subscriber, [subscription]);
      } else {
        others.push(subscription);
      }
    }
  }
  const targets: RouteTarget[] = [];
  for (const subscriptions of bySubscriber.values()) {
    targets.push(merge(subscriptions));
  }
  return { targets, groups };
}

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
