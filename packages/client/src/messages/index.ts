export type { HeldMessage, Message } from "./message.ts";
export type { AsyncPayload, Payload, PayloadCodec } from "./payload.ts";
export { bytesPayload, isAsync, jsonPayload, parseJson, parseText, textPayload, toBytes } from "./payload.ts";
export type { SchemaIssue, SchemaOutput, SchemaResult, StandardSchema } from "./standard-schema.ts";
