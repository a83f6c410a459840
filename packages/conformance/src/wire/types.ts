/** Control packet types, the high half of the first byte. */
export const Type = {
  CONNECT: 1,
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  SUBACK: 9,
  UNSUBSCRIBE: 10,
  UNSUBACK: 11,
  PINGREQ: 12,
  PINGRESP: 13,
  DISCONNECT: 14,
  AUTH: 15,
} as const;

export type TypeName = keyof typeof Type;

const NAMES = Object.keys(Type) as TypeName[];

/** The name of a packet type, or its number when there is none. */
export function typeName(type: number): string {
  return NAMES[type - 1] ?? `type ${type}`;
}
