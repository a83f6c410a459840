import { MALFORMED_CONNECTS } from "./connect.ts";
import { MALFORMED_FIXED_HEADERS } from "./fixed-header.ts";
import { MALFORMED_PROPERTIES } from "./properties.ts";
import { MALFORMED_MESSAGES } from "./publish-subscribe.ts";
import { MALFORMED_STRINGS } from "./strings.ts";
import type { MalformedPacket } from "./types.ts";

export { withFlags } from "./fixed-header.ts";
export { MALFORMED_FROM_SERVER } from "./from-server.ts";
export type { MalformedPacket, MalformedVariant, Names } from "./types.ts";

/** Everything a client may not put on the wire. */
export const MALFORMED_FROM_CLIENT: readonly MalformedPacket[] = [
  ...MALFORMED_FIXED_HEADERS,
  ...MALFORMED_STRINGS,
  ...MALFORMED_CONNECTS,
  ...MALFORMED_MESSAGES,
  ...MALFORMED_PROPERTIES,
];
