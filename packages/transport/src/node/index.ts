/** What the transports for Node share; for those who write another one. */
export { AddressList } from "./address-list.ts";
export { addressText } from "./address-text.ts";
export { afterReading } from "./after-reading.ts";
export { systemBacklog } from "./backlog.ts";
export { checkCredentials } from "./credentials.ts";
export { deliverConnection } from "./deliver-connection.ts";
export { transportError } from "./errors.ts";
export { type HandshakeOptions, Handshakes } from "./handshakes.ts";
export { type OnRefused, report } from "./report.ts";
export { SocketConnection, type SocketSettings, socketSettings, writeChunks } from "./socket-connection.ts";
export { SocketServer, type SocketServerOptions, type SocketUse } from "./socket-server.ts";
