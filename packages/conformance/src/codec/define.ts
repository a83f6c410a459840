import type { ConformanceCase, MqttVersion } from "../case.ts";

/** What a codec case gets from its target: both functions take and give one whole packet, and throw on a bad one. */
export interface CodecHarness {
  /** Throws the codec's own error; the result is opaque to the suite. */
  decode(bytes: Uint8Array, version: MqttVersion): unknown;
  /** Takes what `decode` gave. */
  encode(packet: unknown, version: MqttVersion): Uint8Array;
}

export type CodecCase = ConformanceCase<CodecHarness> & { readonly version: MqttVersion };
