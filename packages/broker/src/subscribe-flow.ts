import {
  parseSharedFilter,
  type QoS,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
} from "@tidewire/codec";
import {
  NO_SUBSCRIPTION_EXISTED,
  QUOTA_EXCEEDED,
  SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
  SUCCESS,
  TOPIC_FILTER_INVALID,
  UNSPECIFIED_ERROR,
  WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
} from "@tidewire/codec/codes";
import type { ClientConnection } from "./client-connection.ts";
import type { BrokerContext } from "./context.ts";
import { grantedQoS } from "./delivery.ts";
import { hasWildcard } from "./filter-tree.ts";
import { type SubscribeVerdict, verdictCode } from "./hooks.ts";
import type { BrokerLimits } from "./limits.ts";
import { awaitHook } from "./pending.ts";
import { topicFits } from "./publish-flow.ts";
import type { StoredSubscription } from "./store.ts";

/** A SUBSCRIBE: each filter is judged in turn, one SUBACK answers them all, retained messages follow. */
export class SubscribeFlow {
  readonly #context: BrokerContext;
  readonly #connection: ClientConnection;
  readonly #packet: SubscribePacket;
  readonly #reasonCodes: number[] = [];
  readonly #granted: StoredSubscription[] = [];
  /** Those of them that get retained messages. */
  readonly #retained: StoredSubscription[] = [];

  constructor(context: BrokerContext, connection: ClientConnection, packet: SubscribePacket) {
    this.#context = context;
    this.#connection = connection;
    this.#packet = packet;
  }

  run(): void {
    this.#judge(0);
  }

  /** Goes through the filters until the hook takes its time over one; its answer goes on behind it. */
  #judge(from: number): void {
    const { hooks, limits } = this.#context;
    const { subscriptions } = this.#packet;
    for (let index = from; index < subscriptions.length; index += 1) {
      const request = subscriptions[index]!;
      const refusal = index < limits.filtersPerSubscribe ? this.#limitReached(request) : QUOTA_EXCEEDED;
      if (refusal !== 0) {
        this.#refuse(refusal);
      } else if (hooks.authorizeSubscribe === undefined) {
        this.#grant(request, limits.maximumQoS);
      } else if (!this.#ask(request, index)) {
        return;
      }
    }
    this.#answer();
  }

  /** True when the hook answered at once. */
  #ask(request: SubscriptionRequest, index: number): boolean {
    const { hooks } = this.#context;
    let returned = false;
    let answered = false;
    awaitHook<SubscribeVerdict>(
      this.#context,
      this.#connection,
      "authorizeSubscribe",
      () => hooks.authorizeSubscribe!(this.#connection.client!, request),
      (verdict) => {
        answered = true;
        this.#decide(request, verdict ?? false);
        if (returned) {
          this.#judge(index + 1);
        }
      },
    );
    returned = true;
    return answered;
  }

  #decide(request: SubscriptionRequest, verdict: SubscribeVerdict): void {
    const { maximumQoS } = this.#context.limits;
    if (typeof verdict === "object" && "qos" in verdict) {
      this.#grant(request, grantedQoS(verdict.qos, maximumQoS));
    } else if (verdictCode(verdict) === 0) {
      this.#grant(request, maximumQoS);
    } else {
      this.#refuse(verdictCode(verdict));
    }
  }

  #grant(request: SubscriptionRequest, highest: QoS): void {
    const { filter, noLocal, retainAsPublished, retainHandling } = request;
    const qos = grantedQoS(request.qos, highest);
    const subscriptionIdentifier = this.#packet.properties?.subscriptionIdentifiers?.[0];
    const subscription = { filter, qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier };
    const isNew = this.#connection.brokerSession!.subscribe(subscription);
    this.#granted.push(subscription);
    if (wantsRetained(subscription, isNew)) {
      this.#retained.push(subscription);
    }
    this.#reasonCodes.push(qos);
  }

  #refuse(reasonCode: number): void {
    this.#context.metrics.subscriptionsRefused += 1;
    // 3.1.1 has one code for every failure.
    this.#reasonCodes.push(this.#connection.protocol.version === 5 ? reasonCode : UNSPECIFIED_ERROR);
  }

  #answer(): void {
    const { events, loop } = this.#context;
    const session = this.#connection.brokerSession!;
    this.#connection.protocol.suback(this.#packet.packetId, this.#reasonCodes, loop.now);
    if (events.has("subscribed")) {
      for (const { filter, qos } of this.#granted) {
        events.emit("subscribed", { clientId: session.clientId, filter, qos });
      }
    }
    for (const subscription of this.#retained) {
      session.sendRetained(subscription);
    }
  }

  /** Reason code of the limit that forbids this subscription; 0 for none. */
  #limitReached({ filter }: SubscriptionRequest): number {
    const { limits } = this.#context;
    const session = this.#connection.brokerSession!;
    if (session.subscriptionCount >= limits.subscriptionsPerSession && !session.hasSubscription(filter)) {
      return QUOTA_EXCEEDED;
    }
    return unavailable(filter, limits);
  }
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
      return NO_SUBSCRIPTION_EXISTED;
    }
    context.events.emit("unsubscribed", { clientId: session.clientId, filter });
    return SUCCESS;
  });
  connection.protocol.unsuback(packet.packetId, reasonCodes, context.loop.now);
}

/** Reason code for a filter that this broker does not take from anybody; 0 for one that it does. */
function unavailable(filter: string, limits: BrokerLimits): number {
  if (!topicFits(filter, limits)) {
    return QUOTA_EXCEEDED;
  }
  // An MQTT 5 client has been told of these in CONNACK, and its session sees to it.
  if (!limits.wildcardSubscriptionAvailable && hasWildcard(filter)) {
    return WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED;
  }
  if (!limits.sharedSubscriptionAvailable && filter.startsWith("$share/")) {
    return SHARED_SUBSCRIPTIONS_NOT_SUPPORTED;
  }
  return isSharedWellFormed(filter) ? 0 : TOPIC_FILTER_INVALID;
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

function wantsRetained({ filter, retainHandling }: StoredSubscription, isNew: boolean): boolean {
  // Not with shared subscriptions: each message would go to one member of many (MQTT 5.0, 4.8.2).
  return !filter.startsWith("$share/") && (retainHandling === 0 || (retainHandling === 1 && isNew));
}
