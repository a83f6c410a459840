export type { ClientEvents } from "./events.ts";
export { Events } from "./events.ts";
export { Feed, finished } from "./feed.ts";
export type { Status, StatusDetail } from "./status.ts";
export { statusFeed } from "./status-feed.ts";
