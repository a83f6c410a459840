import { excludedFilter, type Properties, type QoS, type SubscriptionRequest } from "@tidewire/codec";
import { SHARED_SUBSCRIPTIONS_NOT_SUPPORTED, SUCCESS } from "@tidewire/codec/codes";
import type { Violation } from "./errors.ts";
import type { PeerLimits } from "./limits.ts";
import { defaultPeerLimits } from "./limits.ts";
import * as violations from "./violations.ts";

/*
 * What one end announced, and what that rules out: for the peer, whose packet is then a violation, and for the caller on
 * the peer's side, whose request is then refused before anything is sent.
 */

/** The limits in a CONNECT or CONNACK. */
export function announcedLimits(announced: Partial<PeerLimits> = {}): PeerLimits {
  const limits: PeerLimits & Record<string, unknown> = { ...defaultPeerLimits };
  for (const name in limits) {
    limits[name] = announced[name as keyof PeerLimits] ?? limits[name];
  }
  return limits;
}

export function excludedMessage(
  limits: PeerLimits,
  { qos, retain }: { readonly qos: QoS; readonly retain: boolean },
): Violation | undefined {
  if (qos > limits.maximumQoS) {
    return violations.qosNotSupported;
  }
  return retain && !limits.retainAvailable ? violations.retainNotSupported : undefined;
}

export function excludedSubscriptions(
  limits: PeerLimits,
  subscriptions: readonly SubscriptionRequest[],
  properties: Properties | undefined,
): Violation | undefined {
  if (!limits.subscriptionIdentifierAvailable && properties?.subscriptionIdentifiers !== undefined) {
    return violations.subscriptionIdentifierNotSupported;
  }
  for (const { filter } of subscriptions) {
    const excluded = excludedFilter(filter, limits);
    if (excluded !== SUCCESS) {
      return excluded === SHARED_SUBSCRIPTIONS_NOT_SUPPORTED
        ? violations.sharedNotSupported
        : violations.wildcardNotSupported;
    }
  }
  return undefined;
}

/** A DISCONNECT cannot ask for a session that CONNECT did not (MQTT 5.0, 3.14.2.2.2). */
export function excludedExpiry(
  connect: Properties | undefined,
  disconnect: Properties | undefined,
): Violation | undefined {
  const asks = (properties: Properties | undefined): boolean => (properties?.sessionExpiryInterval ?? 0) > 0;
  return asks(disconnect) && !asks(connect) ? violations.sessionExpiryChanged : undefined;
}
