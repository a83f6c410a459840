/** What the client takes from Node: its own turns, and `ws`, since Node 20 has no WebSocket. */
export { nodeScheduler as platformScheduler } from "@tidewire/link/node";
export { webSocket } from "@tidewire/transport-websocket/node";
