import { type Delivery, grantedQoS } from "./delivery.ts";
import type { Encodings } from "./encodings.ts";
import type { IncomingPublication } from "./publication.ts";
import { Readiness, type Subscription, SubscriptionList } from "./subscription.ts";

/**
 * The members of one shared subscription. Each message goes to one of them: in turn to those that can take it at once,
 * then to those that have others waiting, then to those that are offline and keep it.
 */
export class SharedGroup {
  /** With its `$share/{group}/`. */
  readonly filter: string;
  readonly members: SubscriptionList = new SubscriptionList();
  #next = 0;

  constructor(filter: string) {
    this.filter = filter;
  }

  deliver(publication: IncomingPublication, encodings: Encodings): boolean {
    const member = this.#choose(publication.qos, undefined);
    member?.subscriber.deliver(publication, member, encodings);
    return member !== undefined;
  }

  /** Gives a message that `from` cannot take any more to another member, each at most once. */
  redeliver(delivery: Delivery, from: Subscription["subscriber"]): boolean {
    if (delivery.redeliveries >= this.members.items.length) {
      return false;
    }
    const member = this.#choose(delivery.publication.qos, from);
    member?.subscriber.redeliver(delivery, member);
    return member !== undefined;
  }

  #choose(qos: 0 | 1 | 2, except: Subscription["subscriber"] | undefined): Subscription | undefined {
    const members = this.members.items;
    let best: Subscription | undefined;
    let bestReadiness: Readiness = Readiness.FULL;
    let bestIndex = 0;
    for (let step = 0; step < members.length; step += 1) {
      const index = (this.#next + step) % members.length;
      const member = members[index]!;
      if (member.subscriber === except) {
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
