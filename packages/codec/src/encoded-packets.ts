import { COPY_LIMIT } from "./limits.ts";
import { PUBACK, PUBLISH, UNSUBACK } from "./packet-types.ts";
import type { EncodedPacket } from "./packets.ts";
import { fail, packetUnexpected } from "./rules.ts";
import type { Sink } from "./sink.ts";

/**
 * Where the two bytes of the packet identifier stand in a whole valid packet, so that one encoding can serve many
 * receivers with only these changed; 0 when the packet has none.
 */
export function packetIdOffset(bytes: Uint8Array): number {
  const first = bytes[0] as number;
  const type = first >> 4;
  let offset = 1;
  while ((bytes[offset] as number) > 0x7f) {
    offset += 1;
  }
  offset += 1;
  if (type === PUBLISH) {
    const qos = (first >> 1) & 3;
    return qos === 0 ? 0 : offset + 2 + (((bytes[offset] as number) << 8) | (bytes[offset + 1] as number));
  }
  return type >= PUBACK && type <= UNSUBACK ? offset : 0;
}

/** Copies a small packet; of a large one only what ends with its packet identifier, and refers to the rest. */
export function writeEncoded(sink: Sink, packet: EncodedPacket): void {
  const { bytes, packetIdOffset: offset, packetId } = packet;
  if (bytes === undefined) {
    fail(packetUnexpected, sink);
  }
  const isSmall = bytes.length <= COPY_LIMIT;
  const copied = offset + 2;
  sink.raw(isSmall ? bytes : bytes.subarray(0, copied));
  if (offset > 0) {
    const at = sink.start + offset;
    sink.bytes[at] = packetId >> 8;
    sink.bytes[at + 1] = packetId;
  }
  if (!isSmall) {
    sink.payload = bytes.subarray(copied);
  }
}
