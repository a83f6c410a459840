import type { ClientLimits } from "../limits.ts";

/** Bounds of the small clients, each a constant of its own, so that a bundle has only those it needs. */

/** What CONNECT announces (MQTT 5); the reasons are those of the whole client's limits. */
export const announced: Pick<ClientLimits, "maximumPacketSize" | "receiveMaximum" | "topicAliasMaximum"> = {
  maximumPacketSize: 16 * 1024 * 1024,
  receiveMaximum: 1_024,
  topicAliasMaximum: 0,
};

/** From dialling to CONNACK. */
export const CONNECT_TIMEOUT_MS = 30_000;

/** What the server is given to answer the closing handshake. */
export const CLOSE_TIMEOUT_MS = 5_000;

/** Bytes on their way out above which messages wait, or are refused where nothing can wait. */
export const HIGH_WATER_MARK = 131_072;

/** How often these are looked at then: a WebSocket has no event for "sent". */
export const DRAIN_POLL_MS = 10;

/** Default of `LiteOptions.maximumQueued`: more than a page has to say while it is offline for a while. */
export const MAXIMUM_QUEUED = 1_000;
