export { type WebSocketOptions, webSocket } from "./dial.ts";
export type { UrlSource } from "./url.ts";
