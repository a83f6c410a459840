export { announced, DRAIN_POLL_MS, HIGH_WATER_MARK, MAXIMUM_QUEUED } from "./limits.ts";
export { PacketIds } from "./packet-ids.ts";
export type { ConnectionHandler, Done, SocketOptions } from "./socket-connection.ts";
export { SocketConnection } from "./socket-connection.ts";
