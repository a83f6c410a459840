import { MAXIMUM_VARIABLE_BYTE_INTEGER } from "./limits.ts";
import type { Properties, UserProperty } from "./packets.ts";
import { type PropertyInfo, properties } from "./properties.ts";
import {
  fail,
  methodMissing,
  notInVersion,
  propertyInvalid,
  propertyMisplaced,
  propertyRepeated,
  propertyUnknown,
} from "./rules.ts";
import type { Sink } from "./sink.ts";
import {
  BINARY,
  BIT,
  BOOLEAN,
  STRING,
  STRING_PAIR,
  TOPIC_NAME,
  UINT16,
  UINT32,
  VARIABLE_BYTE_INTEGER,
} from "./wire-types.ts";

const byName: ReadonlyMap<string, PropertyInfo> = /* @__PURE__ */ new Map(
  properties.map((property) => [property[1], property]),
);

/**
 * Writes the properties, in their own order, into the packet, or will, that `packetBit` stands for; before MQTT 5
 * nothing, and there must be none. Tells whether there were any.
 */
export function writeProperties(sink: Sink, values: Properties | undefined, packetBit: number): boolean {
  const inVersion = sink.version === 5;
  const mark = inVersion ? sink.openLength() : 0;
  let any = false;
  for (const name in values) {
    const value = values[name as keyof Properties];
    if (value === undefined) continue;
    if (!inVersion) fail(notInVersion, sink);
    const property = byName.get(name) ?? fail(propertyUnknown, sink);
    if ((property[3] & packetBit) === 0) fail(propertyMisplaced, sink);
    writeProperty(sink, property, value, packetBit);
    any = true;
  }
  if (values?.authenticationData && values.authenticationMethod === undefined) fail(methodMissing, sink);
  if (inVersion) sink.closeLength(mark, 0);
  return any;
}

function writeProperty(sink: Sink, property: PropertyInfo, value: unknown, packetBit: number): void {
  // By index, since taking an array apart runs its iterator.
  const id = property[0];
  const wireType = property[2];
  const minimum = property[4] ?? 0;
  if (wireType < VARIABLE_BYTE_INTEGER) {
    sink.uint8(id);
    writeValue(sink, wireType, value, minimum);
    return;
  }
  if (!Array.isArray(value)) fail(propertyInvalid, sink);
  if (value.length > 1 && ((property[5] as number) & packetBit) === 0) fail(propertyRepeated, sink);
  for (const item of value) {
    sink.uint8(id);
    writeValue(sink, wireType, item, minimum);
  }
}

function writeValue(sink: Sink, wireType: number, value: unknown, minimum: number): void {
  switch (wireType) {
    case STRING:
      sink.string(value as string);
      break;
    case TOPIC_NAME:
      sink.topicName(value as string);
      break;
    case BINARY:
      sink.binary(value as Uint8Array);
      break;
    case STRING_PAIR:
      sink.string((value as UserProperty)[0]);
      sink.string((value as UserProperty)[1]);
      break;
    case BOOLEAN:
      sink.uint8(value === true ? 1 : value === false ? 0 : fail(propertyInvalid, sink));
      break;
    default: {
      const number = value as number;
      if (!Number.isInteger(number) || number < minimum || number > (MAXIMA[wireType] as number)) {
        fail(propertyInvalid, sink);
      }
      if (wireType === BIT) sink.uint8(number);
      else if (wireType === UINT16) sink.uint16(number);
      else if (wireType === UINT32) sink.uint32(number);
      else sink.variableByteInteger(number);
    }
  }
}

/** Largest number by wire type. */
const MAXIMA: Readonly<Record<number, number>> = {
  [BIT]: 1,
  [UINT16]: 0xffff,
  [UINT32]: 0xffff_ffff,
  [VARIABLE_BYTE_INTEGER]: MAXIMUM_VARIABLE_BYTE_INTEGER,
};
