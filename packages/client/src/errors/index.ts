export type { ClientErrorCode } from "./client-error.ts";
export { ClientError, callError, closedError } from "./client-error.ts";
export { endError, hex, invalidArgument, requestError } from "./request-errors.ts";
