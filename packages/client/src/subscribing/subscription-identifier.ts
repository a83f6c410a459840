/**
 * The Subscription Identifier that filters of this shape are subscribed with (MQTT 5).
 *
 * A server may send one copy of a message for each of two overlapping subscriptions, and only the identifier tells
 * which copy is whose. One identifier for each filter would need one SUBSCRIBE packet for each, so filters that cannot
 * overlap share theirs: those of one shape. Being a pure function of that it is the same after a reload, when the server
 * still has the session.
 */
export function subscriptionIdentifier(shape: string): number {
  // FNV-1a, cut to the 28 bits that a Variable Byte Integer holds. A collision only means that two filters are told
  // apart by topic alone, as in MQTT 3.1.1.
  let hash = 0x811c9dc5;
  for (let i = 0; i < shape.length; i += 1) {
    hash = Math.imul(hash ^ shape.charCodeAt(i), 0x01000193);
  }
  return hash >>> 4 || 1;
}
