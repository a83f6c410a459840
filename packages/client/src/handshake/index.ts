export { allowedInConnect } from "./allowed.ts";
export { BackOff } from "./back-off.ts";
export { checkConnect } from "./check-connect.ts";
export { randomClientId } from "./client-id.ts";
export type { ConnectOptions, Credentials, ReconnectOptions, Target, WillOptions } from "./connect-options.ts";
export { connectPacket, isTransient } from "./connect-packet.ts";
export { isFatal } from "./refusals.ts";
export { checkUrl } from "./url.ts";
