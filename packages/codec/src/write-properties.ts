import { MAXIMUM_VARIABLE_BYTE_INTEGER } from "./limits.ts";
import type { Properties, UserProperty } from "./packets.ts";
import { type PropertyInfo, PropertyKind, properties } from "./properties.ts";
import {
  authenticationMethodMissing,
  fail,
  notInVersion,
  propertyInvalid,
  propertyNotAllowed,
  propertyRepeated,
  propertyUnknown,
} from "./rules.ts";
import type { Sink } from "./sink.ts";

const byName: ReadonlyMap<string, PropertyInfo> = /* @__PURE__ */ new Map(
  properties.map((property) => [property[1], property]),
);

export function isEmpty(values: Properties | undefined): boolean {
  for (const name in values) {
    if (values[name as keyof Properties] !== undefined) return false;
  }
  return true;
}

/** Writes the properties, in their own order, into the packet (or will) that `packetBit` stands for. */
export function writeProperties(sink: Sink, values: Properties | undefined, packetBit: number): void {
  if (sink.version !== 5) {
    if (!isEmpty(values)) fail(notInVersion, sink.version);
    return;
  }
  const mark = sink.openLength();
  for (const name in values) {
    const value = values[name as keyof Properties];
    if (value === undefined) continue;
    const property = byName.get(name) ?? fail(propertyUnknown, 5);
    if ((property[3] & packetBit) === 0) fail(propertyNotAllowed, 5);
    writeProperty(sink, property, value, packetBit);
  }
  if (values?.authenticationData !== undefined && values.authenticationMethod === undefined) {
    fail(authenticationMethodMissing, 5);
  }
  sink.closeLength(mark, 0);
}

function writeProperty(sink: Sink, property: PropertyInfo, value: unknown, packetBit: number): void {
  const [id, , kind, , minimum, repeatable] = property;
  if (kind === PropertyKind.VARIABLE_BYTE_INTEGER || kind === PropertyKind.STRING_PAIR) {
    if (!Array.isArray(value)) fail(propertyInvalid, 5);
    if (value.length > 1 && (repeatable & packetBit) === 0) fail(propertyRepeated, 5);
    for (const item of value as readonly (number | UserProperty)[]) {
      sink.uint8(id);
      if (typeof item === "number") {
        sink.variableByteInteger(integer(item, minimum, MAXIMUM_VARIABLE_BYTE_INTEGER));
      } else {
        sink.string(item[0]);
        sink.string(item[1]);
      }
    }
    return;
  }
  sink.uint8(id);
  switch (kind) {
    case PropertyKind.BIT:
      sink.uint8(integer(value, 0, 1));
      break;
    case PropertyKind.BOOLEAN:
      if (typeof value !== "boolean") fail(propertyInvalid, 5);
      sink.uint8(value ? 1 : 0);
      break;
    case PropertyKind.UINT16:
      sink.uint16(integer(value, minimum, 0xffff));
      break;
    case PropertyKind.UINT32:
      sink.uint32(integer(value, minimum, 0xffff_ffff));
      break;
    case PropertyKind.STRING:
      sink.string(value as string);
      break;
    case PropertyKind.TOPIC_NAME:
      sink.topicName(value as string, false);
      break;
    case PropertyKind.BINARY:
      sink.binary(value as Uint8Array);
  }
}

function integer(value: unknown, minimum: number, maximum: number): number {
  const valid = Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
  return valid ? (value as number) : fail(propertyInvalid, 5);
}
