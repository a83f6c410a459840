import type { MqttVersion } from "../case.ts";
import { ConformanceFailure, check, checkEqual, hex } from "../failure.ts";
import { MALFORMED_FROM_CLIENT, MALFORMED_FROM_SERVER, type MalformedPacket } from "../malformed/index.ts";
import type { CodecCase } from "./define.ts";
import { type Sample, WELL_FORMED } from "./well-formed.ts";

export type { CodecCase, CodecHarness } from "./define.ts";
export { type CodecVector, type CodecVectors, codecVectorCases } from "./vectors.ts";

const VERSIONS: readonly MqttVersion[] = ["3.1.1", "5.0"];
const NAMES = { topic: "topic", clientId: "client" };

/** Every codec case: what has to be refused, and what has to survive decoding and encoding byte for byte. */
export const codecCases: readonly CodecCase[] = VERSIONS.flatMap((version) => [
  ...MALFORMED_FROM_CLIENT.filter(decidable(version)).map((malformed) => refuses(malformed, version)),
  ...MALFORMED_FROM_SERVER.filter(decidable(version)).map((malformed) => refuses(malformed, version)),
  ...WELL_FORMED.filter((sample) => statementsOf(sample, version) !== undefined).map((sample) =>
    keeps(sample, version),
  ),
]);

function refuses(malformed: MalformedPacket, version: MqttVersion): CodecCase {
  return {
    id: `${version}/codec/refuses-${malformed.id}`,
    title: `refuses ${malformed.fault}`,
    version,
    statements: prefixed(statementsOf(malformed, version)),
    run: ({ decode }) => {
      for (const { name, bytes } of malformed.variants(version, NAMES)) {
        let accepted = false;
        try {
          decode(bytes, version);
          accepted = true;
        } catch (error) {
          check(!(error instanceof RangeError), `expected an error of the codec, got ${String(error)}`);
        }
        check(!accepted, `expected ${hex(bytes)} to be refused: ${malformed.fault}${name === "" ? "" : ` (${name})`}`);
      }
    },
  };
}

function keeps(sample: Sample, version: MqttVersion): CodecCase {
  return {
    id: `${version}/codec/keeps-${sample.id}`,
    title: `decodes ${sample.what} and encodes it to the same bytes`,
    version,
    statements: prefixed(statementsOf(sample, version)),
    run: ({ decode, encode }) => {
      for (const bytes of sample.packets(version)) {
        let packet: unknown;
        try {
          packet = decode(bytes, version);
        } catch (error) {
          throw new ConformanceFailure(`expected ${hex(bytes)} to be accepted: ${String(error)}`);
        }
        checkEqual(hex(encode(packet, version)), hex(bytes), "encoded bytes");
        // A prefix is never a packet: whoever reads past the end takes what follows for part of this one.
        const cut = bytes.subarray(0, bytes.length - 1);
        let accepted = true;
        try {
          decode(cut, version);
        } catch {
          accepted = false;
        }
        check(!accepted, `expected ${hex(cut)}, which is cut off, to be refused`);
      }
    },
  };
}

function decidable(version: MqttVersion): (malformed: MalformedPacket) => boolean {
  return (malformed) => malformed.needsState !== true && statementsOf(malformed, version) !== undefined;
}

function statementsOf(
  rule: { readonly v3?: readonly string[]; readonly v5?: readonly string[] },
  version: MqttVersion,
): readonly string[] | undefined {
  return version === "5.0" ? rule.v5 : rule.v3;
}

function prefixed(numbers: readonly string[] | undefined): readonly string[] {
  return (numbers ?? []).map((number) => `MQTT-${number}`);
}
