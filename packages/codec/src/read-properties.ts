import type { Properties, UserProperty } from "./packets.ts";
import {
  BINARY,
  BIT,
  BOOLEAN,
  type PropertyInfo,
  properties,
  STRING,
  TOPIC_NAME,
  UINT16,
  UINT32,
  VARIABLE_BYTE_INTEGER,
} from "./properties.ts";
import type { Reader } from "./reader.ts";
import {
  fail,
  methodMissing,
  packetTruncated,
  propertyInvalid,
  propertyMisplaced,
  propertyRepeated,
  propertyUnknown,
} from "./rules.ts";

/** Place in the table by property identifier; -1 for none. */
const places: readonly number[] = /* @__PURE__ */ Array.from({ length: 43 }, (_, id) =>
  properties.findIndex((property) => property[0] === id),
);

/** Reads the properties of the packet, or will, that `packetBit` stands for; undefined when there are none. */
export function readProperties(reader: Reader, packetBit: number): Properties | undefined {
  if (reader.version !== 5) return undefined;
  const length = reader.variableByteInteger();
  if (length === 0) return undefined;
  const packetEnd = reader.end;
  const end = reader.pos + length;
  if (end > packetEnd) fail(packetTruncated, reader);
  // A property that runs past the property length is as cut as one that runs past the packet.
  reader.end = end;
  const values: { [name in keyof Properties]: unknown } = {};
  let seen = 0;
  while (reader.pos < end) {
    const place = places[reader.variableByteInteger()] ?? -1;
    const property = properties[place];
    if (property === undefined) fail(propertyUnknown, reader);
    const [, name, wireType, packets, , repeatable = 0] = property;
    if ((packets & packetBit) === 0) fail(propertyMisplaced, reader);
    const repeats = (seen & (1 << place)) !== 0;
    if (repeats && (repeatable & packetBit) === 0) fail(propertyRepeated, reader);
    seen |= 1 << place;
    const value = readValue(reader, property);
    if (wireType < VARIABLE_BYTE_INTEGER) values[name] = value;
    else if (repeats) (values[name] as unknown[]).push(value);
    else values[name] = [value];
  }
  reader.end = packetEnd;
  if (values.authenticationData && values.authenticationMethod === undefined) fail(methodMissing, reader);
  return values as Properties;
}

function readValue(
  reader: Reader,
  [, , wireType, , minimum = 0]: PropertyInfo,
): number | boolean | string | Uint8Array | UserProperty {
  switch (wireType) {
    case STRING:
      return reader.string();
    case TOPIC_NAME:
      return reader.topicName();
    case BINARY:
      return reader.binary();
    case BIT:
    case BOOLEAN: {
      const bit = reader.uint8();
      if (bit > 1) fail(propertyInvalid, reader);
      return wireType === BIT ? bit : bit === 1;
    }
    case UINT16:
    case UINT32:
    case VARIABLE_BYTE_INTEGER: {
      const number =
        wireType === UINT16 ? reader.uint16() : wireType === UINT32 ? reader.uint32() : reader.variableByteInteger();
      return number < minimum ? fail(propertyInvalid, reader) : number;
    }
    default:
      return [reader.string(), reader.string()];
  }
}
