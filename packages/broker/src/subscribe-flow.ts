import {
  parseSharedFilter,
  ReasonCode,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
} from "@tidewire/codec";
import type { ClientConnection } from "./client-connection.ts";
import type { BrokerContext } from "./context.ts";
import { hasWildcard } from "./filter-tree.ts";
import { type SubscribeVerdict, verdictCode } from "./hooks.ts";
import { awaitHook } from "./pending.ts";
import { topicFits } from "./publish-flow.ts";
import type { StoredSubscription } from "./store.ts";

/** A SUBSCRIBE: each filter is judged in turn, one SUBACK answers them all, retained messages follow. */
export function handleSubscribe(context: BrokerContext, connection: ClientConnection, packet: SubscribePacket): void {
  const reasonCodes: number[] = [];
  const granted: { readonly subscription: StoredSubscription; readonly isNew: boolean }[] = [];

  const next = (from: number): void => {
    for (let index = from; index < packet.subscriptions.length; index += 1) {
      const request = packet.subscriptions[index]!;
      const refusal = limitReached(context, connection, request, index);
      if (refusal !== 0 || context.hooks.authorizeSubscribe === undefined) {
        decide(request, refusal);
        continue;
      }
      let atOnce: boolean | undefined;
      awaitHook<SubscribeVerdict>(
        context,
        connection,
        "authorizeSubscribe",
        () => context.hooks.authorizeSubscribe!(connection.client!, request),
        (verdict) => {
          decide(request, ...judge(verdict ?? false));
          if (atOnce === undefined) {
            atOnce = true;
          } else {
            next(index + 1);
          }
        },
      );
      if (atOnce === undefined) {
        // The answer will go on from here.
        atOnce = false;
        return;
      }
    }
    answer();
  };

  const decide = (
    request: SubscriptionRequest,
    refusal: number,
    qosLimit: number = context.limits.maximumQoS,
  ): void => {
    if (refusal !== 0) {
      context.metrics.subscriptionsRefused += 1;
      reasonCodes.push(connection.session.version === 5 ? refusal : ReasonCode.UnspecifiedError);
      return;
    }
    const session = connection.brokerSession!;
    const subscription: StoredSubscription = {
      ...request,
      qos: Math.min(request.qos, qosLimit, context.limits.maximumQoS) as 0 | 1 | 2,
      subscriptionIdentifier: packet.properties?.subscriptionIdentifiers?.[0],
    };
    granted.push({ subscription, isNew: !session.hasSubscription(request.filter) });
    session.subscribe(subscription);
    reasonCodes.push(subscription.qos);
  };

  const answer = (): void => {
    const { clientId } = connection.brokerSession!;
    connection.session.suback(packet.packetId, reasonCodes, context.loop.now);
    for (const { subscription, isNew } of granted) {
      context.events.emit("subscribed", { clientId, filter: subscription.filter, qos: subscription.qos });
      if (wantsRetained(subscription, isNew)) {
        connection.brokerSession?.sendRetained(subscription);
      }
    }
  };

  next(0);
}

/** An UNSUBSCRIBE; messages that are on their way already still arrive. */
export function handleUnsubscribe(
  context: BrokerContext,
  connection: ClientConnection,
  packet: UnsubscribePacket,
): void {
  const session = connection.brokerSession!;
  const reasonCodes = packet.filters.map((filter) => {
    if (!session.unsubscribe(filter)) {
      return ReasonCode.NoSubscriptionExisted;
    }
    context.events.emit("unsubscribed", { clientId: session.clientId, filter });
    return ReasonCode.Success;
  });
  connection.session.unsuback(packet.packetId, reasonCodes, context.loop.now);
}

/** Reason code of the limit that forbids this subscription; 0 for none. */
function limitReached(
  { limits }: BrokerContext,
  connection: ClientConnection,
  { filter }: SubscriptionRequest,
  index: number,
): number {
  const session = connection.brokerSession!;
  if (index >= limits.filtersPerSubscribe || !topicFits(filter, limits)) {
    return ReasonCode.QuotaExceeded;
  }
  if (session.subscriptionCount >= limits.subscriptionsPerSession && !session.hasSubscription(filter)) {
    return ReasonCode.QuotaExceeded;
  }
  // An MQTT 5 client has been told in CONNACK, and its session sees to it.
  if (!limits.wildcardSubscriptionAvailable && hasWildcard(filter)) {
    return ReasonCode.WildcardSubscriptionsNotSupported;
  }
  if (!limits.sharedSubscriptionAvailable && filter.startsWith("$share/")) {
    return ReasonCode.SharedSubscriptionsNotSupported;
  }
  return isSharedWellFormed(filter) ? 0 : ReasonCode.TopicFilterInvalid;
}

/** Shared subscriptions work in 3.x as well, where the codec takes their filters as they are. */
function isSharedWellFormed(filter: string): boolean {
  try {
    parseSharedFilter(filter);
    return true;
  } catch {
    return false;
  }
}

function judge(verdict: SubscribeVerdict): [refusal: number, qosLimit?: number] {
  return typeof verdict === "object" && "qos" in verdict ? [0, verdict.qos] : [verdictCode(verdict)];
}

function wantsRetained(subscription: StoredSubscription, isNew: boolean): boolean {
  // No retained messages for shared subscriptions: each would go to one member of many (MQTT 5.0, 4.8.2).
  if (subscription.filter.startsWith("$share/")) {
    return false;
  }
  return subscription.retainHandling === 0 || (subscription.retainHandling === 1 && isNew);
}
