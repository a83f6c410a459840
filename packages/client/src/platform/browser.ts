/** What the client takes from browsers and workers. */
export { browserScheduler as platformScheduler } from "@tidewire/link/browser";
export { webSocket } from "@tidewire/transport-websocket";
