/**
 * The only file that looks at the platform. Everything else is plain ECMAScript, so that the codec runs wherever
 * TextDecoder exists; Buffer, when there is one, makes short strings about twice as fast.
 */

interface Platform {
  readonly TextDecoder: new (
    label: string,
    options: { readonly fatal: boolean; readonly ignoreBOM: boolean },
  ) => { decode(bytes: Uint8Array): string };
  readonly Buffer?: {
    readonly prototype: { readonly latin1Slice?: (this: Uint8Array, start: number, end: number) => string };
  };
}

const platform = globalThis as unknown as Platform;

/** Ill-formed text throws; a byte order mark is text like any other [MQTT-1.5.4-3]. */
const utf8 = /* @__PURE__ */ new platform.TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const latin1Slice = /* @__PURE__ */ (() => platform.Buffer?.prototype.latin1Slice)();

/** Text of bytes that are all below 0x80. */
export const asciiText: (bytes: Uint8Array, start: number, end: number) => string =
  latin1Slice === undefined ? utf8Text : (bytes, start, end) => latin1Slice.call(bytes, start, end);

/** Text of any UTF-8; throws TypeError on ill-formed bytes: surrogates, overlong forms, cut sequences. */
export function utf8Text(bytes: Uint8Array, start: number, end: number): string {
  return utf8.decode(bytes.subarray(start, end));
}
