export { type TcpOptions, tcp } from "./dial.ts";
export { type TcpListener, type TcpListenerOptions, tcpListener } from "./listener.ts";
