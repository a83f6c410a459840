export { Call, Calls } from "./calls.ts";
export { onAbort } from "./on-abort.ts";
export type { OperationOptions } from "./operation-options.ts";
export { aborted, limitWait } from "./wait-limit.ts";
export { type Deferred, deferred, rejected, reportUnwatched, watch } from "./watched-promise.ts";
