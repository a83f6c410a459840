export type { ClientErrorCode } from "./client-error.ts";
export { ClientError, closedError } from "./client-error.ts";
export { endError, invalidArgument, requestError } from "./request-errors.ts";
