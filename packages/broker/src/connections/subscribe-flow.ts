import {
  excludedFilter,
  isSharedFilter,
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
  SUCCESS,
  TOPIC_FILTER_INVALID,
  UNSPECIFIED_ERROR,
} from "@tidewire/codec/codes";
import type { LinkLoop } from "@tidewire/link";
import type { Authority, EventHub } from "../hooks/index.ts";
import { type BrokerLimits, FILTER_STEPS, TURN_STEPS } from "../limits.ts";
import { grantedQoS } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import type { Notices } from "../notices/index.ts";
import type { Storage, StoredSubscription } from "../storage/index.ts";
import type { Steps, Work } from "../work/index.ts";
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
  readonly storage: Pick<Storage, "crowded" | "drained">;
  readonly work: Pick<Work, "exhausted" | "spend" | "spent">;
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
    atOnce(this.#needs.work, (steps) => this.#judge(0, steps));
  }

  /**
   * Goes through the filters until the hook takes its time over one, or this turn's share is used up; then goes on behind it,
   * and this client waits.
   */
  #judge(from: number, steps: Steps): void {
    const { authority, limits, work } = this.#needs;
    const { subscriptions } = this.#packet;
    for (let index = from; index < subscriptions.length; index += 1) {
      const request = subscriptions[index]!;
      if (steps.left <= 0 && index > from) {
        goOnLater(this.#needs, this.#client, (more) => this.#judge(index, more));
        return;
      }
      steps.left -= FILTER_STEPS;
      const refusal = index < limits.filtersPerSubscribe ? this.#limitReached(request) : QUOTA_EXCEEDED;
      if (refusal !== 0) {
        this.#refuse(request, refusal);
        continue;
      }
      const verdict = authority.subscribe(this.#client.info, request);
      if (typeof verdict !== "number") {
        this.#client.wait(verdict, (code) => {
          this.#decide(request, code);
          atOnce(work, (more) => this.#judge(index + 1, more));
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
    if (this.#retained.length > 0) {
      session.sendRetained(this.#retained);
    }
    restIfExhausted(this.#needs, this.#client);
  }

  /** Reason code of the limit that forbids this subscription; 0 for none. */
  #limitReached({ filter }: SubscriptionRequest): number {
    const reasonCode = unavailable(filter, this.#needs.limits);
    return reasonCode === 0 && !this.#client.session.admits(filter) ? QUOTA_EXCEEDED : reasonCode;
  }
}

/** An UNSUBSCRIBE; messages that are on their way already still arrive. */
export class UnsubscribeFlow {
  readonly #needs: SubscribeNeeds;
  readonly #client: ConnectedClient;
  readonly #packet: UnsubscribePacket;
  readonly #reasonCodes: number[] = [];

  constructor(needs: SubscribeNeeds, client: ConnectedClient, packet: UnsubscribePacket) {
    this.#needs = needs;
    this.#client = client;
    this.#packet = packet;
  }

  run(): void {
    atOnce(this.#needs.work, (steps) => this.#remove(0, steps));
  }

  #remove(from: number, steps: Steps): void {
    const { filters, packetId } = this.#packet;
    for (let index = from; index < filters.length; index += 1) {
      if (steps.left <= 0 && index > from) {
        goOnLater(this.#needs, this.#client, (more) => this.#remove(index, more));
        return;
      }
      this.#reasonCodes.push(this.#removeOne(filters[index]!, steps));
    }
    this.#client.protocol.unsuback(packetId, this.#reasonCodes, this.#needs.loop.now);
    restIfExhausted(this.#needs, this.#client);
  }

  #removeOne(filter: string, steps: Steps): number {
    const { session } = this.#client;
    if (!session.unsubscribe(filter)) {
      steps.left -= 1;
      return NO_SUBSCRIPTION_EXISTED;
    }
    steps.left -= FILTER_STEPS;
    this.#needs.events.emit("unsubscribed", { clientId: session.clientId, filter });
    return SUCCESS;
  }
}

/** Does what a packet asks for with what is left of this turn's share. */
function atOnce(work: SubscribeNeeds["work"], action: (steps: Steps) => void): void {
  const before = TURN_STEPS - work.spent;
  const steps: Steps = { left: before };
  action(steps);
  work.spend(before - steps.left);
}

/** In a later turn; and once the store has taken what was staged, where that is much already. */
function goOnLater({ storage, work }: SubscribeNeeds, client: ConnectedClient, goOn: (steps: Steps) => void): void {
  if (storage.crowded) {
    client.wait(storage.drained(), () => atOnce(work, goOn));
  } else {
    client.rest(goOn);
  }
}

/** Whoever used up the turn's share is read from again in the next. */
function restIfExhausted({ work }: SubscribeNeeds, client: ConnectedClient): void {
  if (work.exhausted) {
    client.rest(() => {});
  }
}

/** Reason code for a filter that this broker does not take from anybody; 0 for one that it does. */
function unavailable(filter: string, limits: BrokerLimits): number {
  if (!topicFits(filter, limits)) {
    return QUOTA_EXCEEDED;
  }
  // An MQTT 5 client has been told of these in CONNACK, and its session sees to it.
  const excluded = excludedFilter(filter, limits);
  if (excluded !== 0) {
    return excluded;
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
  return !isSharedFilter(filter) && (retainHandling === 0 || (retainHandling === 1 && isNew));
}
