export { addressKey } from "./address-key.ts";
export type { CloseInfo, Connection, ConnectionHandler, ConnectionInfo } from "./connection.ts";
export type { AbortSignalLike, Dial, DialOptions } from "./dial.ts";
export { TransportError, type TransportErrorCode } from "./errors.ts";
export { callbackError, guard, warn, watch } from "./guard.ts";
export type { Listen, Listener } from "./listen.ts";
