import type { Properties } from "./packets.ts";
import { properties } from "./properties.ts";
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
    if ((seen & (1 << place)) !== 0 && ((property[5] ?? 0) & packetBit) === 0) fail(propertyRepeated, reader);
    seen |= 1 << place;
    const name = property[1];
    const value = reader[property[2]]();
    if (typeof value === "number" && value < (property[4] ?? 0)) fail(propertyInvalid, reader);
    if (property[5] === undefined) values[name] = value;
    else if (values[name] === undefined) values[name] = [value];
    else (values[name] as unknown[]).push(value);
  }
  reader.end = packetEnd;
  if (values.authenticationData && values.authenticationMethod === undefined) fail(methodMissing, reader);
  return values as Properties;
}
