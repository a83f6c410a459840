import type { QoS } from "@tidewire/codec";
import { type Delivery, type Encodings, grantedQoS, type IncomingPublication } from "../messages/index.ts";
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

  /** Gives a message that one member cannot have, or not any more, to another. */
  redeliver(delivery: Delivery, except: readonly object[]): boolean {
    const member = this.#choose(delivery.publication.qos, except);
    member?.subscriber.redeliver(delivery, member);
    return member !== undefined;
  }

  #choose(qos: QoS, except: readonly object[] | undefined): Subscription | undefined {
    const members = this.members.items;
    let best: Subscription | undefined;
    let bestReadiness: Readiness = Readiness.FULL;
    let bestIndex = 0;
    for (let step = 0; step < members.length; step += 1) {
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
