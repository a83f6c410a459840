import { MAXIMUM_VARIABLE_BYTE_INTEGER } from "./limits.ts";
import type { Properties } from "./packets.ts";
import { type PropertyInfo, properties, type WireType } from "./properties.ts";
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

const byName: ReadonlyMap<string, PropertyInfo> = /* @__PURE__ */ new Map(
  properties.map((property) => [property[1], property]),
);

/**
 * Writes the properties, in their own order, into the packet, or will, that `packetBit` stands for; before MQTT 5
 * nothing, and there must be none.
 */
export function writeProperties(sink: Sink, values: Properties | undefined, packetBit: number): void {
  const inVersion = sink.version === 5;
  const start = inVersion ? sink.pos : 0;
  if (inVersion) {
    sink.pos += 1;
  }
  for (const name in values) {
    const value = values[name as keyof Properties];
    if (value === undefined) {
      continue;
    }
    if (!inVersion) {
      fail(notInVersion, sink);
    }
    const property = byName.get(name) ?? fail(propertyUnknown, sink);
    // By index, since taking an array apart runs its iterator.
    if ((property[3] & packetBit) === 0) {
      fail(propertyMisplaced, sink);
    }
    const repeatable = property[5];
    if (repeatable === undefined) {
      writeValue(sink, property, value);
      continue;
    }
    if (!Array.isArray(value)) {
      fail(propertyInvalid, sink);
    }
    if (value.length > 1 && (repeatable & packetBit) === 0) {
      fail(propertyRepeated, sink);
    }
    for (const item of value) {
      writeValue(sink, property, item);
    }
  }
  if (values?.authenticationData && values.authenticationMethod === undefined) {
    fail(methodMissing, sink);
  }
  if (inVersion) {
    sink.fillLength(start);
  }
}

function writeValue(sink: Sink, property: PropertyInfo, value: unknown): void {
  const wireType = property[2];
  const maximum = maximumOf(wireType);
  if (maximum !== undefined) {
    const number = value as number;
    const inRange = Number.isInteger(number) && number >= (property[4] ?? 0) && number <= maximum;
    if (!inRange) {
      fail(propertyInvalid, sink);
    }
  }
  sink.uint8(property[0]);
  // The usual ones by name, which an engine can put in place.
  if (wireType === "string") {
    sink.string(value as string);
  } else if (wireType === "topicName") {
    sink.topicName(value as string);
  } else if (wireType === "uint32") {
    sink.uint32(value as number);
  } else {
    sink[wireType](value as never);
  }
}

/** Largest value of a wire type that is a number. In a row, since looking a name up in a table takes longer. */
function maximumOf(wireType: WireType): number | undefined {
  if (wireType === "uint32") {
    return 0xffff_ffff;
  }
  if (wireType === "uint16") {
    return 0xffff;
  }
  if (wireType === "bit") {
    return 1;
  }
  return wireType === "variableByteInteger" ? MAXIMUM_VARIABLE_BYTE_INTEGER : undefined;
}
