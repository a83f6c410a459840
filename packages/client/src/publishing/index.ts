export type { PublishOptions, PublishResult } from "./publish-options.ts";
export { Publisher } from "./publisher.ts";
export type { QueueOptions, QueuePolicy } from "./queue-options.ts";
