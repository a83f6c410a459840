/** What the client takes from Bun and Deno: Node's turns, and the WebSocket of the platform. */
export { nodeScheduler as platformScheduler } from "@tidewire/link/node";
export { webSocket } from "@tidewire/transport-websocket";
