export type { Port } from "./protocol.ts";
export { serveClient } from "./serve.ts";
export { workerClient } from "./worker-client.ts";
