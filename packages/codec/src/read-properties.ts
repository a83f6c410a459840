import { MAXIMUM_REPETITIONS } from "./limits.ts";
import type { Properties } from "./packets.ts";
import { type PropertyInfo, properties } from "./properties.ts";
import type { Reader } from "./reader.ts";
import {
  fail,
  methodMissing,
  packetTooLarge,
  packetTruncated,
  propertyInvalid,
  propertyMisplaced,
  propertyRepeated,
  propertyUnknown,
} from "./rules.ts";

/** Properties while they are read; the table says which value belongs to which name. */
type Values = { [name in keyof Properties]: unknown };

const byId: Readonly<Record<number, PropertyInfo>> = /* @__PURE__ */ Object.fromEntries(
  properties.map((property) => [property[0], property]),
);

/** Reads the properties of the packet, or will, that `packetBit` stands for; undefined when there are none. */
export function readProperties(reader: Reader, packetBit: number): Properties | undefined {
  if (reader.version !== 5) {
    return undefined;
  }
  const length = reader.variableByteInteger();
  if (length === 0) {
    return undefined;
  }
  const packetEnd = reader.end;
  const end = reader.pos + length;
  if (end > packetEnd) {
    fail(packetTruncated, reader);
  }
  // A property that runs past the property length is as cut as one that runs past the packet.
  reader.end = end;
  const values: Values = {};
  while (reader.pos < end) {
    const property = byId[reader.variableByteInteger()];
    if (property === undefined) {
      fail(propertyUnknown, reader);
    }
    // By index, since taking an array apart runs its iterator.
    if ((property[3] & packetBit) === 0) {
      fail(propertyMisplaced, reader);
    }
    const name = property[1];
    const repeatable = property[5];
    const before = values[name];
    if (before !== undefined && ((repeatable ?? 0) & packetBit) === 0) {
      fail(propertyRepeated, reader);
    }
    const value = reader[property[2]]();
    if (typeof value === "number" && value < (property[4] ?? 0)) {
      fail(propertyInvalid, reader);
    }
    if (repeatable === undefined) {
      values[name] = value;
    } else if (before === undefined) {
      values[name] = [value];
    } else if ((before as unknown[]).push(value) > MAXIMUM_REPETITIONS) {
      fail(packetTooLarge, reader);
    }
  }
  reader.end = packetEnd;
  if (values.authenticationData && values.authenticationMethod === undefined) {
    fail(methodMissing, reader);
  }
  return values as Properties;
}
