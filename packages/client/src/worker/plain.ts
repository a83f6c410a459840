import { ClientError } from "../errors/index.ts";
import type { StatusDetail } from "../events/index.ts";
import type { Message } from "../messages/index.ts";
import type { PlainError, PlainMessage, PlainStatusDetail } from "./protocol.ts";

/** Objects with behaviour as plain data, and back. */

export function plainError(error: unknown): PlainError {
  if (error instanceof ClientError) {
    return { code: error.code, message: error.message, reasonCode: error.reasonCode };
  }
  return {
    code: "invalid-argument",
    message: error instanceof Error ? error.message : String(error),
    reasonCode: undefined,
  };
}

export function fromPlainError({ code, message, reasonCode }: PlainError): ClientError {
  return new ClientError(code, message, { reasonCode });
}

export function plainDetail({ error, ...detail }: StatusDetail): PlainStatusDetail {
  return error === undefined ? detail : { ...detail, error: plainError(error) };
}

export function fromPlainDetail({ error, ...detail }: PlainStatusDetail): StatusDetail {
  return error === undefined ? detail : { ...detail, error: fromPlainError(error) };
}

export function plainMessage({ topic, payload, qos, retain, dup, properties }: Message): PlainMessage {
  // Of a view only what it shows: a clone would take the whole chunk that it is part of.
  return { topic, payload: payload.slice(), qos, retain, dup, properties };
}
