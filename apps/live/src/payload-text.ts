import { limits } from "./limits.ts";

/** A payload as people can read it: text where it is UTF-8, else hexadecimal; cut where it is long. */
export function payloadText(payload: Uint8Array): string {
  if (payload.length === 0) {
    return "(empty)";
  }
  // A character has up to four bytes; reading no more than that keeps a payload of megabytes cheap.
  const head = payload.subarray(0, 4 * limits.shownPayload);
  const text = decodeUtf8(head, head.length < payload.length) ?? hexadecimal(head);
  const cut = text.slice(0, limits.shownPayload);
  return cut.length < text.length || head.length < payload.length ? `${cut} … (${payload.length} bytes)` : cut;
}

/** `partial` accepts a character that is cut off at the end. */
function decodeUtf8(bytes: Uint8Array, partial: boolean): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: partial });
  } catch {
    return undefined;
  }
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
