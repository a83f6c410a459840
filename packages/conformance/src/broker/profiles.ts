/**
 * Some statements bind only servers that are set up in some way. A target offers such a server under the name of a
 * profile: it lists `profile:NAME` among its capabilities and dials it when asked for the profile.
 */
export const PROFILES = {
  /** Maximum QoS 0; no retained messages, no wildcard, no shared subscriptions and no subscription identifiers. */
  limited: "limited",
  /** Asks for user name `user` and password `password`; does not let that user publish to topics ending in `denied`. */
  secured: "secured",
  /**
   * Knows the enhanced authentication method `conformance`: to a CONNECT or a re-authentication with any data it answers
   * AUTH 0x18 with data `challenge`; data `response` is accepted, everything else is refused.
   */
  enhanced: "enhanced",
} as const;

/** The name of a profile. */
export type BrokerProfile = (typeof PROFILES)[keyof typeof PROFILES];

/** The capability that says a target has the profile. */
export function profileCapability(profile: BrokerProfile): string {
  return `profile:${profile}`;
}
