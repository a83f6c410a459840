import { PUBACK, PUBLISH, UNSUBACK } from "./packet-types.ts";

/**
 * Where the two bytes of the packet identifier stand in a whole valid packet, so that one encoding can serve many
 * receivers with only these changed; 0 when the packet has none.
 */
export function packetIdOffset(bytes: Uint8Array): number {
  const first = bytes[0] as number;
  const type = first >> 4;
  let offset = 1;
  while ((bytes[offset++] as number) > 0x7f);
  if (type === PUBLISH) {
    const qos = (first >> 1) & 3;
    return qos === 0 ? 0 : offset + 2 + (((bytes[offset] as number) << 8) | (bytes[offset + 1] as number));
  }
  return type >= PUBACK && type <= UNSUBACK ? offset : 0;
}
