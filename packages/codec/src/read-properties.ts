import type { Properties, UserProperty } from "./packets.ts";
import { type PropertyInfo, PropertyKind, properties } from "./properties.ts";
import type { Reader } from "./reader.ts";
import {
  authenticationMethodMissing,
  fail,
  packetTruncated,
  propertyInvalid,
  propertyNotAllowed,
  propertyRepeated,
  propertyUnknown,
} from "./rules.ts";

/** Properties while they are read; the table says which value belongs to which name. */
type MutableProperties = { [name in keyof Properties]: unknown };

/** Place in the table by property identifier; -1 for none. */
const places: readonly number[] = /* @__PURE__ */ Array.from({ length: 43 }, (_, id) =>
  properties.findIndex((property) => property[0] === id),
);

/** Reads the properties of the packet type (or will) that `packetBit` stands for; undefined when there are none. */
export function readProperties(reader: Reader, packetBit: number): Properties | undefined {
  if (reader.version !== 5) return undefined;
  const length = reader.variableByteInteger();
  if (length === 0) return undefined;
  const packetEnd = reader.end;
  const end = reader.pos + length;
  if (end > packetEnd) fail(packetTruncated, 5);
  // A property that runs past the property length is as cut as one that runs past the packet.
  reader.end = end;
  const result: MutableProperties = {};
  let seen = 0;
  do {
    const place = places[reader.variableByteInteger()] ?? -1;
    if (place < 0) fail(propertyUnknown, 5);
    const property = properties[place] as PropertyInfo;
    if ((property[3] & packetBit) === 0) fail(propertyNotAllowed, 5);
    const bit = 1 << place;
    const again = (seen & bit) !== 0;
    if (again && (property[5] & packetBit) === 0) fail(propertyRepeated, 5);
    seen |= bit;
    readProperty(reader, property, result, again);
  } while (reader.pos < end);
  reader.end = packetEnd;
  if (result.authenticationData !== undefined && result.authenticationMethod === undefined) {
    fail(authenticationMethodMissing, 5);
  }
  return result as Properties;
}

function readProperty(reader: Reader, property: PropertyInfo, result: MutableProperties, again: boolean): void {
  const name = property[1];
  switch (property[2]) {
    case PropertyKind.BIT:
      result[name] = bit(reader);
      break;
    case PropertyKind.BOOLEAN:
      result[name] = bit(reader) === 1;
      break;
    case PropertyKind.UINT16:
      result[name] = atLeast(property[4], reader.uint16());
      break;
    case PropertyKind.UINT32:
      result[name] = atLeast(property[4], reader.uint32());
      break;
    case PropertyKind.VARIABLE_BYTE_INTEGER: {
      const identifier = atLeast(property[4], reader.variableByteInteger());
      if (again) (result[name] as number[]).push(identifier);
      else result[name] = [identifier];
      break;
    }
    case PropertyKind.STRING:
      result[name] = reader.string();
      break;
    case PropertyKind.TOPIC_NAME:
      result[name] = reader.topicName(false);
      break;
    case PropertyKind.BINARY:
      result[name] = reader.binary();
      break;
    case PropertyKind.STRING_PAIR: {
      const pair: UserProperty = [reader.string(), reader.string()];
      if (again) (result[name] as UserProperty[]).push(pair);
      else result[name] = [pair];
    }
  }
}

function bit(reader: Reader): number {
  const byte = reader.uint8();
  return byte > 1 ? fail(propertyInvalid, 5) : byte;
}

function atLeast(minimum: number, value: number): number {
  return value < minimum ? fail(propertyInvalid, 5) : value;
}
