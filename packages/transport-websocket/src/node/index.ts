export type { UrlSource } from "../url.ts";
export { type AttachOptions, attachWebSocket } from "./attach.ts";
export { type Headers, type HeadersSource, type NodeWebSocketOptions, webSocket } from "./dial.ts";
export { type WebSocketListener, type WebSocketListenerOptions, webSocketListener } from "./listener.ts";
export type { UpgradeOptions } from "./upgrade.ts";
