import type { MqttVersion } from "../case.ts";
import { ConformanceFailure, check, checkEqual } from "../failure.ts";
import { concat } from "../wire/index.ts";
import type { CodecCase } from "./define.ts";

/** A packet as its bytes in hexadecimal; 4 is MQTT 3.1.1, 5 is 5.0, others are passed over. */
export interface CodecVector {
  readonly name: string;
  readonly version: number;
  readonly bytes: string;
  /** Follows the bytes: a long run that nobody wants to read. */
  readonly then?: { readonly $repeatHex: string; readonly count: number };
  /** Right, but not the shortest form: the encoder writes another one. */
  readonly decodeOnly?: boolean;
  /** Wrong only from this sender: passed over, since `decode` does not know who sent it. */
  readonly sender?: string;
  /** With or without `MQTT-`. */
  readonly statements?: readonly string[];
}

export interface CodecVectors {
  /** Have to be decoded, and encoded again to the same bytes. */
  readonly valid: readonly CodecVector[];
  /** Have to be refused. */
  readonly invalid: readonly CodecVector[];
}

/** Cases from vectors kept as data, such as those in `packages/codec/vectors`. */
export function codecVectorCases({ valid, invalid }: CodecVectors): readonly CodecCase[] {
  return [
    ...valid.flatMap((vector) => makeCase(vector, true)),
    ...invalid.flatMap((vector) => makeCase(vector, false)),
  ];
}

function makeCase(vector: CodecVector, isValid: boolean): CodecCase[] {
  const version: MqttVersion | undefined = ({ 4: "3.1.1", 5: "5.0" } as const)[vector.version];
  if (version === undefined || vector.sender !== undefined) {
    return [];
  }
  const bytes = concat(fromHex(vector.bytes), fromHex(vector.then?.$repeatHex.repeat(vector.then.count) ?? ""));
  return [
    {
      id: `${version}/codec-vector/${vector.name}`,
      title: isValid ? "decodes the packet, and encodes it to the same bytes" : "refuses the packet",
      version,
      statements: (vector.statements ?? []).map((id) => (id.startsWith("MQTT-") ? id : `MQTT-${id}`)),
      run: ({ decode, encode }) => {
        let packet: unknown;
        try {
          packet = decode(bytes, version);
        } catch (error) {
          if (isValid) {
            throw new ConformanceFailure(`expected ${vector.bytes} to be accepted: ${String(error)}`);
          }
          return;
        }
        check(isValid, `expected ${vector.bytes} to be refused`);
        if (vector.decodeOnly !== true) {
          checkEqual(encode(packet, version), bytes, "encoded bytes");
        }
      },
    },
  ];
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(2 * index, 2 * index + 2), 16),
  );
}
