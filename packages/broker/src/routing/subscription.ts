import type { QoS } from "@tidewire/codec";
import type { Delivery, Encodings, IncomingPublication } from "../messages/index.ts";
import type { StoredSubscription } from "../storage/index.ts";

/** How much a subscriber can take, for choosing among the members of a shared subscription. */
export const Readiness = {
  /** Nothing fits any more. */
  FULL: 0,
  /** Offline, but it keeps messages. */
  KEEPS: 1,
  /** Connected, with messages waiting already. */
  BUSY: 2,
  /** Would be sent at once. */
  READY: 3,
} as const;
export type Readiness = (typeof Readiness)[keyof typeof Readiness];

/** Whoever messages are routed to: an MQTT session or a function in this process. */
export interface Subscriber {
  /** Undefined for subscribers in this process. */
  readonly clientId: string | undefined;
  readiness(qos: QoS): Readiness;
  deliver(publication: IncomingPublication, target: RouteTarget, encodings: Encodings): void;
  /** A message of a shared subscription that another member gave back. */
  redeliver(delivery: Delivery, target: RouteTarget): void;
  /** Messages of a shared subscription of which it is a member wait with others: to be taken as soon as it can. */
  help(backlog: Backlog): void;
  /** The oldest message that waits here by a shared subscription, taken out, unless it is not for `taker`. */
  giveUp(sharedFilter: string, taker: object): Delivery | undefined;
}

/** Messages of one shared subscription that wait with members who cannot take them yet. */
export interface Backlog {
  /** The whole `$share/...` filter. */
  readonly filter: string;
  /** The next that waits with another member, taken from there; undefined when there is none. */
  take(taker: object): Delivery | undefined;
}

/** What a route says about one receiver: one subscription, or several of the same subscriber merged. */
export interface RouteTarget {
  readonly subscriber: Subscriber;
  readonly qos: QoS;
  readonly retainAsPublished: boolean;
  readonly identifiers: readonly number[] | undefined;
  /** True when `own` is to be used for messages that this client published itself [MQTT-3.8.3-3]. */
  readonly noLocal: boolean;
  readonly own: RouteTarget | undefined;
  /** The whole `$share/...` filter that it comes by. */
  readonly sharedFilter: string | undefined;
}

/** One subscription of one subscriber; a route target as it is, so that the common route needs no other objects. */
export class Subscription implements RouteTarget {
  readonly subscriber: Subscriber;
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly identifiers: readonly number[] | undefined;
  readonly own: RouteTarget | undefined = undefined;
  sharedFilter: string | undefined = undefined;
  /** Where it stands in its list; kept by `SubscriptionList`. */
  position = -1;

  /** `known` is what another subscription has: the list serves both when the identifier is the same. */
  constructor(subscriber: Subscriber, stored: StoredSubscription, known?: readonly number[]) {
    this.subscriber = subscriber;
    this.filter = stored.filter;
    this.qos = stored.qos;
    this.noLocal = stored.noLocal;
    this.retainAsPublished = stored.retainAsPublished;
    const identifier = stored.subscriptionIdentifier;
    this.identifiers = identifier === undefined ? undefined : identifier === known?.[0] ? known : [identifier];
  }

  /** Whether messages come by it as they would by this. */
  isSame({ qos, noLocal, retainAsPublished, subscriptionIdentifier }: StoredSubscription): boolean {
    return (
      this.qos === qos &&
      this.noLocal === noLocal &&
      this.retainAsPublished === retainAsPublished &&
      this.identifiers?.[0] === subscriptionIdentifier
    );
  }
}

/** Never added to: the first subscription of a list brings an array of its own. */
const EMPTY: Subscription[] = [];

/** Subscriptions in an array without order, so that adding and removing take constant time. */
export class SubscriptionList {
  items: Subscription[] = EMPTY;

  add(subscription: Subscription): void {
    subscription.position = this.items.length;
    if (this.items.length === 0) {
      // Most lists have one: an array that grows would take room for seventeen.
      this.items = [subscription];
    } else {
      this.items.push(subscription);
    }
  }

  remove(subscription: Subscription): void {
    const last = this.items.pop()!;
    if (last !== subscription) {
      last.position = subscription.position;
      this.items[last.position] = last;
    }
    subscription.position = -1;
  }
}
