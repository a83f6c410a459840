import {
  parseSharedFilter,
  type QoS,
  type SubscribePacket,
  type SubscriptionRequest,
  type UnsubscribePacket,
} from "@tidewire/codec";
import {
  FIRST_FAILURE,
  NO_SUBSCRIPTION_EXISTED,
  QUOTA_EXCEEDED,
  SHARED_SUBSCRIPTIONS_NOT_SUPPORTED,
  SUCCESS,
  TOPIC_FILTER_INVALID,
  UNSPECIFIED_ERROR,
  WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
} from "@tidewire/codec/codes";
import type { LinkLoop } from "@tidewire/link";
import type { Authority, EventHub } from "../hooks/index.ts";
import type { BrokerLimits } from "../limits.ts";
import { grantedQoS } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { Notices } from "../notices/index.ts";
import { hasWildcard } from "../routing/index.ts";
import type { StoredSubscription } from "../storage/index.ts";
import type { ConnectedClient } from "./client.ts";
import { reasonText, subjectOf } from "./notice-subject.ts";
import { topicFits } from "./topic-limits.ts";

/** What handling SUBSCRIBE and UNSUBSCRIBE needs of a broker. */
export interface SubscribeNeeds {
  readonly authority: Pick<Authority, "subscribe">;
  readonly events: Pick<EventHub, "emit" | "has">;
  readonly limits: BrokerLimits;
  readonly loop: Pick<LinkLoop, "now">;
  readonly metrics: MetricsRecorder;
  readonly notices: Notices;
}

/** A SUBSCRIBE: each filter is judged in turn, one SUBACK answers them all, retained messages follow. */
export class SubscribeFlow {
  readonly #needs: SubscribeNeeds;
  readonly #client: ConnectedClient;
  readonly #packet: SubscribePacket;
  readonly #reasonCodes: number[] = [];
  readonly #granted: StoredSubscription[] = [];
  /** Those of them that get retained messages. */
  readonly #retained: StoredSubscription[] = [];

  constructor(needs: SubscribeNeeds, client: ConnectedClient, packet: SubscribePacket) {
    this.#needs = needs;
    this.#client = client;
    this.#packet = packet;
  }

  run(): void {
    this.#judge(0);
  }

  /** Goes through the filters until the hook takes its time over one; its answer goes on behind it. */
  #judge(from: number): void {
    const { authority, limits } = this.#needs;
    const { subscriptions } = this.#packet;
    for (let index = from; index < subscriptions.length; index += 1) {
      const request = subscriptions[index]!;
      const refusal = index < limits.filtersPerSubscribe ? this.#limitReached(request) : QUOTA_EXCEEDED;
      if (refusal !== 0) {
        this.#refuse(request, refusal);
        continue;
      }
      const verdict = authority.subscribe(this.#client.info, request);
      if (typeof verdict !== "number") {
        this.#client.wait(verdict, (code) => {
          this.#decide(request, code);
          this.#judge(index + 1);
        });
        return;
      }
      this.#decide(request, verdict);
    }
    this.#answer();
  }

  /** `verdict`: the highest QoS, or a reason code. */
  #decide(request: SubscriptionRequest, verdict: number): void {
    if (verdict >= FIRST_FAILURE) {
      this.#refuse(request, verdict);
    } else {
      this.#grant(request, grantedQoS(verdict as QoS, this.#needs.limits.maximumQoS));
    }
  }

  #grant(request: SubscriptionRequest, highest: QoS): void {
    const { filter, retainHandling } = request;
    const bridge = this.#client.info.bridge === true;
    const noLocal = request.noLocal || bridge;
    const retainAsPublished = request.retainAsPublished || bridge;
    const qos = grantedQoS(request.qos, highest);
    const subscriptionIdentifier = this.#packet.properties?.subscriptionIdentifiers?.[0];
    const subscription = { filter, qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier };
    const isNew = this.#client.session.subscribe(subscription);
    this.#granted.push(subscription);
    if (wantsRetained(subscription, isNew)) {
      this.#retained.push(subscription);
    }
    this.#reasonCodes.push(qos);
  }

  #refuse({ filter }: SubscriptionRequest, reasonCode: number): void {
    this.#needs.metrics.subscriptionsRefused += 1;
    const why = (): string => `The client may not subscribe to ${JSON.stringify(filter)} (${reasonText(reasonCode)}).`;
    this.#needs.notices.tell("denied", { ...subjectOf(this.#client), reasonCode, topic: filter }, why);
    // 3.1.1 has one code for every failure.
    this.#reasonCodes.push(this.#client.protocol.version === 5 ? reasonCode : UNSPECIFIED_ERROR);
  }

  #answer(): void {
    const { events, loop } = this.#needs;
    const session = this.#client.session;
    this.#client.protocol.suback(this.#packet.packetId, this.#reasonCodes, loop.now);
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
    const { limits } = this.#needs;
    const session = this.#client.session;
    if (session.subscriptionCount >= limits.subscriptionsPerSession && !session.hasSubscription(filter)) {
      return QUOTA_EXCEEDED;
    }
    return unavailable(filter, limits);
  }
}

/** An UNSUBSCRIBE; messages that are on their way already still arrive. */
export function handleUnsubscribe(
  { events, loop }: SubscribeNeeds,
  { session, protocol }: ConnectedClient,
  packet: UnsubscribePacket,
): void {
  const reasonCodes = packet.filters.map((filter) => {
    if (!session.unsubscribe(filter)) {
      return NO_SUBSCRIPTION_EXISTED;
    }
    events.emit("unsubscribed", { clientId: session.clientId, filter });
    return SUCCESS;
  });
  protocol.unsuback(packet.packetId, reasonCodes, loop.now);
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
