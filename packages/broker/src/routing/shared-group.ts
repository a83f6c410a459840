import type { QoS } from "@tidewire/codec";
import { MEMBERS_ASKED } from "../limits.ts";
import { type Delivery, type Encodings, grantedQoS, type IncomingPublication } from "../messages/index.ts";
import { type Backlog, Readiness, type Subscriber, type Subscription, SubscriptionList } from "./subscription.ts";

/**
 * The members of one shared subscription. Each message goes to one of them: in turn to those that can take it at once,
 * then to those that have others waiting, then to those that are offline and keep it. What waits with one is taken over by
 * whoever has nothing to do.
 */
export class SharedGroup implements Backlog {
  /** With its `$share/{group}/`. */
  readonly filter: string;
  readonly members: SubscriptionList = new SubscriptionList();
  /** Members with whom messages of this group may wait. */
  readonly #holders = new Set<Subscriber>();
  #next = 0;

  constructor(filter: string) {
    this.filter = filter;
  }

  leave(subscription: Subscription): void {
    this.members.remove(subscription);
    this.#holders.delete(subscription.subscriber);
  }

  deliver(publication: IncomingPublication, encodings: Encodings): boolean {
    const { qos } = publication;
    const member = this.#choose(qos, undefined);
    if (member === undefined) {
      return false;
    }
    if (qos > 0 && member.subscriber.readiness(grantedQoS(qos, member.qos)) !== Readiness.READY) {
      this.offer(member.subscriber);
    }
    member.subscriber.deliver(publication, member, encodings);
    return true;
  }

  /** Gives a message that one member cannot have, or not any more, to another. */
  redeliver(delivery: Delivery, except: readonly object[]): boolean {
    const member = this.#choose(delivery.publication.qos, except);
    member?.subscriber.redeliver(delivery, member);
    return member !== undefined;
  }

  /** What waits with one member can be had by the others. */
  offer(holder: Subscriber): void {
    this.#holders.add(holder);
    const members = this.members.items;
    const count = Math.min(members.length, MEMBERS_ASKED);
    for (let step = 0; step < count; step += 1) {
      const { subscriber } = members[(this.#next + step) % members.length]!;
      if (subscriber !== holder) {
        subscriber.help(this);
      }
    }
  }

  /** Whether others may have to be helped. */
  get waits(): boolean {
    return this.#holders.size > 0;
  }

  take(taker: object): Delivery | undefined {
    for (const holder of this.#holders) {
      if (holder === taker) {
        continue;
      }
      const delivery = holder.giveUp(this.filter, taker);
      if (delivery !== undefined) {
        return delivery;
      }
      this.#holders.delete(holder);
    }
    return undefined;
  }

  #choose(qos: QoS, except: readonly object[] | undefined): Subscription | undefined {
    const members = this.members.items;
    let best: Subscription | undefined;
    let bestReadiness: Readiness = Readiness.FULL;
    let bestIndex = 0;
    for (let step = 0; step < members.length && (step < MEMBERS_ASKED || best === undefined); step += 1) {
      const index = (this.#next + step) % members.length;
      const member = members[index]!;
      if (except?.includes(member.subscriber)) {
        continue;
      }
      const readiness = member.subscriber.readiness(grantedQoS(qos, member.qos));
      if (readiness > bestReadiness) {
        best = member;
        bestReadiness = readiness;
        bestIndex = index;
        if (readiness === Readiness.READY) {
          break;
        }
      }
    }
    if (best !== undefined) {
      this.#next = bestIndex + 1;
    }
    return best;
  }
}
