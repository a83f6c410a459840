import type { Properties, UserProperty } from "./packets.ts";
import { type PropertyInfo, properties } from "./properties.ts";
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
import { BINARY, BIT, BOOLEAN, STRING, TOPIC_NAME, UINT16, UINT32, VARIABLE_BYTE_INTEGER } from "./wire-types.ts";

/** Properties while they are read; the table says which value belongs to which name. */
type Values = { [name in keyof Properties]: unknown };

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
  const values: Values = {};
  let seen = 0;
  while (reader.pos < end) {
    const place = places[reader.variableByteInteger()] ?? -1;
    const property = properties[place];
    if (property === undefined) fail(propertyUnknown, reader);
    // By index, since taking an array apart runs its iterator.
    if ((property[3] & packetBit) === 0) fail(propertyMisplaced, reader);
    const repeats = (seen & (1 << place)) !== 0;
    if (repeats && ((property[5] ?? 0) & packetBit) === 0) fail(propertyRepeated, reader);
    seen |= 1 << place;
    readProperty(reader, property, values, repeats);
  }
  reader.end = packetEnd;
  if (values.authenticationData && values.authenticationMethod === undefined) fail(methodMissing, reader);
  return values as Properties;
}

/** Each wire type stores by itself: where few names meet, a store is several times faster. */
function readProperty(reader: Reader, property: PropertyInfo, values: Values, repeats: boolean): void {
  const name = property[1];
  const wireType = property[2];
  const minimum = property[4] ?? 0;
  switch (wireType) {
    case STRING:
      values[name] = reader.string();
      break;
    case TOPIC_NAME:
      values[name] = reader.topicName();
      break;
    case BINARY:
      values[name] = reader.binary();
      break;
    case BIT:
    case BOOLEAN: {
      const bit = reader.uint8();
      if (bit > 1) fail(propertyInvalid, reader);
      values[name] = wireType === BIT ? bit : bit === 1;
      break;
    }
    case UINT16:
    case UINT32: {
      const number = wireType === UINT16 ? reader.uint16() : reader.uint32();
      values[name] = number < minimum ? fail(propertyInvalid, reader) : number;
      break;
    }
    default: {
      if (!repeats) values[name] = [];
      const item = wireType === VARIABLE_BYTE_INTEGER ? reader.variableByteInteger() : readPair(reader);
      if (typeof item === "number" && item < minimum) fail(propertyInvalid, reader);
      (values[name] as unknown[]).push(item);
    }
  }
}

function readPair(reader: Reader): UserProperty {
  return [reader.string(), reader.string()];
}
