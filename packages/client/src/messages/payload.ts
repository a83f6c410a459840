import { ClientError } from "../errors/index.ts";
import type { SchemaOutput, StandardSchema } from "./standard-schema.ts";

/** Turns values into payloads and back, for topic templates. */
export interface PayloadCodec<Value> {
  encode(value: Value): string | Uint8Array;
  /** Throws a `ClientError` `payload-invalid`. */
  decode(payload: Uint8Array): Value;
}

/** Payloads as they are. */
export const bytesPayload: PayloadCodec<Uint8Array> = {
  encode: (value) => value,
  decode: (payload) => payload,
};

/** UTF-8 text. */
export const textPayload: PayloadCodec<string> = {
  encode: (value) => value,
  decode: parseText,
};

/** JSON, validated both ways by any Standard Schema validator that answers synchronously. */
export function jsonPayload<Schema extends StandardSchema>(schema: Schema): PayloadCodec<SchemaOutput<Schema>>;
/** JSON whose type is promised by the caller and not checked. */
export function jsonPayload<Value = unknown>(): PayloadCodec<Value>;
export function jsonPayload(schema?: StandardSchema): PayloadCodec<unknown> {
  return {
    encode: (value) => JSON.stringify(schema === undefined ? value : validate(schema, value)),
    decode: (payload) => parseJson(payload, schema),
  };
}

export function parseText(payload: Uint8Array): string {
  try {
    return decoder.decode(payload);
  } catch (cause) {
    throw new ClientError("payload-invalid", "The payload is not UTF-8 text: read `message.payload` instead.", {
      cause,
    });
  }
}

export function parseJson(payload: Uint8Array, schema?: StandardSchema): unknown {
  const text = parseText(payload);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the payload.
    throw new ClientError("payload-invalid", "The payload is not JSON: read `message.text()` instead.");
  }
  return schema === undefined ? value : validate(schema, value);
}

/** What can be sent at once: text, which goes as UTF-8, or bytes. */
export type Payload = string | ArrayBufferView | ArrayBufferLike;

/** What has to be read first, such as a `Blob` or a `File`. */
export interface AsyncPayload {
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Whether the payload has to be read first. */
export function isAsync(payload: Payload | AsyncPayload): payload is AsyncPayload {
  // Bytes first: nearly all payloads are.
  return !(payload instanceof Uint8Array) && typeof (payload as AsyncPayload | undefined)?.arrayBuffer === "function";
}

/** The bytes of a payload; throws `invalid-argument` for what has none. */
export function toBytes(payload: Payload): Uint8Array {
  if (typeof payload === "string") {
    return encoder.encode(payload);
  }
  if (payload instanceof Uint8Array) {
    return payload;
  }
  if (ArrayBuffer.isView(payload)) {
    return new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  }
  // Not by its class: it may come from another realm, such as an iframe.
  if ((payload?.byteLength ?? -1) >= 0) {
    return new Uint8Array(payload);
  }
  throw new ClientError(
    "invalid-argument",
    `The payload is ${typeof payload}: give a string or bytes, such as JSON.stringify(value).`,
  );
}

function validate(schema: StandardSchema, value: unknown): unknown {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    throw new ClientError("payload-invalid", "The schema validates asynchronously, which a message cannot wait for.");
  }
  if (result.issues === undefined) {
    return result.value;
  }
  throw new ClientError("payload-invalid", "The payload does not fit its schema; the issues are the cause.", {
    cause: result.issues,
  });
}

const encoder = /* @__PURE__ */ new TextEncoder();
// Fatal, so that what is not text is not silently changed; the mark at the start is text like any other.
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
