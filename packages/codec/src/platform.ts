import { MAXIMUM_FIELD_LENGTH } from "./limits.ts";

/**
 * The only file that looks at the platform. Everything else is plain ECMAScript, so that the codec runs wherever
 * TextDecoder and TextEncoder exist; Buffer, when there is one, makes short strings in a third of the time.
 */

declare const TextDecoder: new (
  label: string,
  options: { readonly fatal: boolean; readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

declare const TextEncoder: new () => {
  encodeInto(text: string, bytes: Uint8Array): { readonly read: number; readonly written: number };
};

interface WithBuffer {
  readonly Buffer?: {
    readonly prototype: { readonly latin1Slice?: (this: Uint8Array, start: number, end: number) => string };
  };
}

/** Ill-formed text throws; a byte order mark is text like any other [MQTT-1.5.4-3]. */
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = /* @__PURE__ */ new TextEncoder();

const latin1Slice = /* @__PURE__ */ (() => (globalThis as WithBuffer).Buffer?.prototype.latin1Slice)();

/** As `utf8Text`, but faster where the bytes are all below 0x80 and there is a Buffer. */
export function fastText(bytes: Uint8Array, start: number, end: number): string {
  let bits = 0;
  for (let i = start; i < end; i += 1) {
    bits |= bytes[i] as number;
  }
  return bits > 0x7f || latin1Slice === undefined ? utf8Text(bytes, start, end) : latin1Slice.call(bytes, start, end);
}

/** Text of UTF-8; throws TypeError on ill-formed bytes: surrogates, overlong forms, cut sequences. */
export function utf8Text(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.subarray(start, end));
}

/** Writes well-formed text as UTF-8; returns how many bytes it took, or takes at most when they did not all fit. */
export function writeUtf8(text: string, bytes: Uint8Array, at: number): number {
  const { read, written } = encoder.encodeInto(text, bytes.subarray(at));
  return read === text.length ? written : Math.min(3 * text.length, MAXIMUM_FIELD_LENGTH);
}
