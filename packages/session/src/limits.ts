import type { QoS } from "@tidewire/codec";

/** Every bound of this package, with its reason. */

/** A client sends CONNECT at once; ten seconds leave room for a slow radio and little for those who send nothing. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** Characters of a client identifier in MQTT 3.1, whose limit this is; later versions have none. */
export const CLIENT_ID_LENGTH = 23;

/** A server may have to ask another system about the user first. */
export const CONNACK_TIMEOUT_MS = 30_000;

/** Longer than a mobile network's worst usual pause, shorter than a person's patience. */
export const PING_TIMEOUT_MS = 15_000;

/** Enough for the topics a device uses in turn; each costs a string on both ends, and a look when one has to give way. */
export const OUTGOING_TOPIC_ALIASES = 32;

/** The time of a deadline that is not set. */
export const NEVER: number = Number.POSITIVE_INFINITY;

/** Packet identifiers are 1 to this (MQTT 5.0, 2.2.1). */
export const MAXIMUM_PACKET_ID = 65_535;

/** What holds for a peer that announced nothing (MQTT 5.0, 3.1.2.11 and 3.2.2.3). */
export const defaultPeerLimits: PeerLimits = {
  receiveMaximum: 65_535,
  maximumPacketSize: Number.POSITIVE_INFINITY,
  topicAliasMaximum: 0,
  maximumQoS: 2,
  retainAvailable: true,
  wildcardSubscriptionAvailable: true,
  subscriptionIdentifierAvailable: true,
  sharedSubscriptionAvailable: true,
};

/** An alias costs three bytes in each packet: a shorter topic gains nothing. */
export const SHORTEST_ALIASED_TOPIC = 4;

/** Defaults and reasons in limits.ts. */
export interface SessionLimits {
  /** Server: from acceptance to CONNECT. */
  readonly connectTimeoutMs: number;
  /**
   * Server: characters of a client identifier in MQTT 3.1, which has a limit of 23; a client with a longer one, or none, is
   * refused with return code 2.
   */
  readonly clientIdLength: number;
  /** Client: from CONNECT to CONNACK. */
  readonly connackTimeoutMs: number;
  /** Client: from PINGREQ to PINGRESP. */
  readonly pingTimeoutMs: number;
}

export interface PeerLimits {
  /** 65,535 unless the peer said less. */
  readonly receiveMaximum: number;
  /** Infinity unless the peer set one. */
  readonly maximumPacketSize: number;
  readonly topicAliasMaximum: number;
  readonly maximumQoS: QoS;
  readonly retainAvailable: boolean;
  readonly wildcardSubscriptionAvailable: boolean;
  readonly subscriptionIdentifierAvailable: boolean;
  readonly sharedSubscriptionAvailable: boolean;
}
