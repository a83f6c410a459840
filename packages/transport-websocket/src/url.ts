import { TransportError } from "@tidewire/transport";

/** A URL, or what gives one for every attempt: signed URLs expire. */
export type UrlSource = string | (() => string | Promise<string>);

/** Asks for the value of this attempt. A failure is the dial's; the message names no URL, which may hold credentials. */
export async function resolveSource<Value>(source: Value | (() => Value | Promise<Value>)): Promise<Value> {
  if (typeof source !== "function") {
    return source;
  }
  try {
    return await (source as () => Value | Promise<Value>)();
  } catch (cause) {
    throw new TransportError("handshake-failed", "The provider of the URL or of the headers failed.", { cause });
  }
}
