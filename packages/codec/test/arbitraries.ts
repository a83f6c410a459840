import { type Packet, type Properties, type ProtocolVersion, properties, reasonCodes } from "@tidewire/codec";
import fc from "fast-check";

/** Any valid packet of a version, in the form that decoding gives it: no empty properties, absent fields undefined. */
export function packet(version: ProtocolVersion): fc.Arbitrary<Packet> {
  const types =
    version === 5
      ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
      : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
  return fc.constantFrom(...types).chain((type) => packetOfType(type, version));
}

export const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "grapheme-ascii", maxLength: 80 }) },
  fc.string({ unit: "binary", maxLength: 40 }).map((string) => string.replaceAll("\0", "")),
);
export const topicName: fc.Arbitrary<string> = text.map((string) => string.replaceAll(/[+#]/g, "") || "a/b");
const level = fc.oneof(
  fc.constant("+"),
  topicName.map((name) => name.replaceAll("/", "")),
);
export const filter: fc.Arbitrary<string> = fc
  .tuple(fc.array(level, { maxLength: 6 }), fc.boolean())
  .map(([levels, all]) => [...levels, ...(all || levels.join("") === "" ? ["#"] : [])].join("/"))
  .filter((string) => !string.startsWith("$share/"));
export const bytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  fc.uint8Array({ minLength: 500, maxLength: 700 }),
);

const uint16 = fc.integer({ min: 0, max: 0xffff });
const packetId = fc.integer({ min: 1, max: 0xffff });
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);

function packetOfType(type: number, version: ProtocolVersion): fc.Arbitrary<Packet> {
  const props = version === 5 ? propertiesOf(1 << type, type === 15) : fc.constant(undefined);
  const codes = codesOf(type, version);
  switch (type) {
    case 1:
      return fc
        .tuple(
          text,
          fc.boolean(),
          uint16,
          fc.option(will(version), { nil: undefined }),
          maybe(text),
          maybe(bytes),
          props,
          fc.boolean(),
        )
        .map(([clientId, cleanStart, keepAlive, will, username, password, properties, bridge]) => ({
          type: 1,
          version,
          bridge: bridge && version < 5,
          clientId,
          cleanStart,
          keepAlive,
          will,
          username,
          password: version < 5 && username === undefined ? undefined : password,
          properties,
        }));
    case 2:
      return fc.tuple(fc.boolean(), codes, props).map(([present, reasonCode, properties]) => ({
        type: 2,
        sessionPresent: present && reasonCode === 0 && version > 3,
        reasonCode,
        properties,
      }));
    case 3:
      return fc
        .tuple(topicName, bytes, qos, fc.boolean(), fc.boolean(), packetId, props, fc.boolean())
        .map(([topic, payload, qos, retain, dup, id, properties, byAlias]) => ({
          type: 3,
          topic: byAlias && properties?.topicAlias !== undefined ? "" : topic,
          payload,
          qos,
          retain,
          dup: dup && qos > 0,
          packetId: qos === 0 ? 0 : id,
          properties,
        }));
    case 8:
      return fc
        .tuple(packetId, fc.array(subscription(version), { minLength: 1, maxLength: 5 }), props)
        .map(([packetId, subscriptions, properties]) => ({ type: 8, packetId, subscriptions, properties }));
    case 10:
      return fc
        .tuple(packetId, fc.array(filter, { minLength: 1, maxLength: 5 }), props)
        .map(([packetId, filters, properties]) => ({ type: 10, packetId, filters, properties }));
    case 9:
    case 11: {
      const several = type === 11 && version < 5 ? fc.constant([]) : fc.array(codes, { minLength: 1, maxLength: 5 });
      return fc
        .tuple(packetId, several, props)
        .map(([packetId, reasonCodes, properties]) => ({ type, packetId, reasonCodes, properties }));
    }
    case 12:
    case 13:
      return fc.constant({ type });
    case 14:
    case 15:
      return fc.tuple(codes, props).map(([reasonCode, properties]) => ({ type, reasonCode, properties }));
    default:
      return fc.tuple(packetId, codes, props).map(([packetId, reasonCode, properties]) => ({
        type: type as 4 | 5 | 6 | 7,
        packetId,
        reasonCode,
        properties,
      }));
  }
}

function will(version: ProtocolVersion) {
  const props = version === 5 ? propertiesOf(1, false) : fc.constant(undefined);
  return fc
    .tuple(topicName, bytes, qos, fc.boolean(), props)
    .map(([topic, payload, qos, retain, properties]) => ({ topic, payload, qos, retain, properties }));
}

function subscription(version: ProtocolVersion) {
  const retainHandling = fc.constantFrom(0 as const, 1 as const, 2 as const);
  return fc
    .tuple(filter, qos, fc.boolean(), fc.boolean(), retainHandling)
    .map(([filter, qos, noLocal, retainAsPublished, retainHandling]) =>
      version === 5
        ? { filter, qos, noLocal, retainAsPublished, retainHandling }
        : { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 as const },
    );
}

function codesOf(type: number, version: ProtocolVersion): fc.Arbitrary<number> {
  if (version < 5) {
    return fc.constantFrom(...(type === 2 ? [0, 1, 2, 3, 4, 5] : type === 9 ? [0, 1, 2, 0x80] : [0]));
  }
  const allowed = reasonCodes.filter(
    ([, packets, server = 0, client = 0]) => ((packets | server | client) >> type) & 1,
  );
  return fc.constantFrom(0, ...allowed.map(([code]) => code));
}

/** Any properties of the packet that the bit stands for, in any order; undefined for none. */
function propertiesOf(packetBit: number, withMethod: boolean): fc.Arbitrary<Properties | undefined> {
  const names = properties.filter(([, , , packets]) => packets & packetBit);
  return fc
    .shuffledSubarray(names)
    .chain((chosen) =>
      fc.tuple(...chosen.map((row) => anyValue(row, packetBit).map((value) => [row[1], value] as const))),
    )
    .map((entries) => {
      const values: Properties = Object.fromEntries(entries);
      if (withMethod || values.authenticationData !== undefined) {
        values.authenticationMethod ??= "method";
      }
      return Object.keys(values).length === 0 ? undefined : values;
    });
}

function anyValue(
  [, , wireType, , minimum = 0]: (typeof properties)[number],
  packetBit: number,
): fc.Arbitrary<unknown> {
  const number = (max: number) => fc.oneof(fc.integer({ min: minimum, max }), fc.constantFrom(minimum, max));
  switch (wireType) {
    case "bit":
      return number(1);
    case "boolean":
      return fc.boolean();
    case "uint16":
      return number(0xffff);
    case "uint32":
      return number(0xffff_ffff);
    case "string":
      return text;
    case "topicName":
      return topicName;
    case "binary":
      return bytes;
    case "variableByteInteger":
      return fc.array(number(268_435_455), { minLength: 1, maxLength: packetBit === 1 << 8 ? 1 : 4 });
    case "stringPair":
      return fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 });
  }
}

function maybe<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}
