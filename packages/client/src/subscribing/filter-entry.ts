import type { QoS, SubscriptionRequest } from "@tidewire/codec";
import type { Answer } from "./answer.ts";
import type { Consumer } from "./consumer.ts";
import { filterShape } from "./filter-index.ts";
import { subscriptionIdentifier } from "./subscription-identifier.ts";

/**
 * A filter that somebody here wants, and who; or that the server has to be told that nobody wants any more. It is what
 * SUBSCRIBE says of the filter as well, since a client may have very many.
 */
export class FilterEntry implements SubscriptionRequest {
  readonly filter: string;
  readonly shape: string;
  identifier: number;
  qos: QoS = 0;
  noLocal = false;
  retainAsPublished = false;
  retainHandling: 0 | 1 | 2 = 0;
  /** Replaced, never changed, like `answers`: a message may be on its way through it. */
  consumers: readonly Consumer[] = NOBODY;
  /**
   * Those who came with the latest SUBSCRIBE, when it was not the first: the retained messages that follow it are for them.
   * They carry its identifier, which is one of its own for that reason.
   */
  latest: readonly Consumer[] | undefined = undefined;
  /** Was sent to the server, which has to be told when nobody wants the filter any more. */
  asked = false;
  /** The server sends what matches it. */
  granted = false;
  /** Connections that ended, one after the other, while nothing but this filter was unanswered. */
  ends = 0;
  /** To be told what the server says to the next packet with this filter. */
  answers: readonly Answer[] = NOBODY;

  constructor(filter: string) {
    this.filter = filter;
    this.shape = filterShape(filter);
    this.identifier = subscriptionIdentifier(this.shape);
  }

  /** One more wants it. To the server there is one subscription, with as much as all of them together ask for. */
  add(consumer: Consumer, isQueued: boolean): void {
    if (this.asked && !isQueued && this.consumers.length > 0) {
      this.identifier = (this.identifier % MAXIMUM_IDENTIFIER) + 1;
      this.latest = NOBODY;
    }
    this.consumers = withOne(this.consumers, consumer);
    this.latest = this.latest && withOne(this.latest, consumer);
    const options = this.consumers.map(({ options }) => options);
    this.qos = Math.max(...options.map(({ qos = 1 }) => qos)) as QoS;
    this.noLocal = options.every(({ noLocal }) => noLocal);
    this.retainAsPublished = options.some(({ retainAsPublished }) => retainAsPublished);
    this.retainHandling = consumer.options.retainHandling ?? 0;
  }

  /** Whom a message with these properties is for. */
  receivers(retain: boolean, identifiers: readonly number[] | undefined): readonly Consumer[] {
    const { latest, consumers } = this;
    if (!retain || latest === undefined || this.retainAsPublished || identifiers === undefined) {
      return consumers;
    }
    return identifiers.includes(this.identifier) ? latest : consumers.filter((consumer) => !latest.includes(consumer));
  }
}

/** The list and one more. A list of one, as nearly all are, takes no room for others to come. */
export function withOne<Item>(list: readonly Item[], item: Item): readonly Item[] {
  return list.length === 0 ? [item] : [...list, item];
}

export const NOBODY: readonly never[] = [];
/** What a Variable Byte Integer holds. */
const MAXIMUM_IDENTIFIER = 268_435_455;
