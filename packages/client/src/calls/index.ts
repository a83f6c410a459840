export { Call, Calls } from "./calls.ts";
export type { OperationOptions } from "./operation-options.ts";
export { aborted, limitWait } from "./wait-limit.ts";
