export { type ByteStreams, type FromWebStreamsOptions, fromWebStreams } from "./from-web-streams.ts";
export { toWebStreams } from "./to-web-streams.ts";
