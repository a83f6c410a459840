/** What the transports for Node share; for those who write another one. */
export { AddressList } from "./address-list.ts";
export { addressText } from "./address-text.ts";
export { transportError } from "./errors.ts";
export { Handshakes } from "./handshakes.ts";
export { SocketConnection, type SocketSettings, socketSettings, writeChunks } from "./socket-connection.ts";
