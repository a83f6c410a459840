export type { Client, CloseOptions, RequestOptions } from "./client.ts";
export { connect, createClient } from "./connect.ts";
export type { Core } from "./core.ts";
