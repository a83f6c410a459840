export type { Attempt } from "./connector.ts";
export { Connector } from "./connector.ts";
