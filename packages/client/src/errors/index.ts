export type { ClientErrorCode, ClientErrorDetails } from "./client-error.ts";
export { ClientError, callError, closedError } from "./client-error.ts";
export { endError, handshakeError, hex, invalidArgument, refusedError, requestError } from "./request-errors.ts";
