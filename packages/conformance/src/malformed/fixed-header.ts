import * as wire from "../wire/index.ts";
import { bytes, concat, Type, uint16 } from "../wire/index.ts";
import { type MalformedPacket, only } from "./types.ts";

/** Fixed headers a client may not send: flags, packet types and lengths (2.2 in 3.1.1, 2.1 in 5.0). */
export const MALFORMED_FIXED_HEADERS: readonly MalformedPacket[] = [
  {
    id: "connect-flags",
    fault: "CONNECT with reserved fixed header flags",
    v3: ["2.2.2-1", "2.2.2-2", "3.1.4-1"],
    v5: ["2.1.3-1", "3.1.4-1"],
    isFirst: true,
    variants: (version, { clientId }) => only(withFlags(wire.connect(version, { clientId }), 0x0f)),
  },
  {
    id: "puback-flags",
    fault: "PUBACK with reserved fixed header flags",
    v3: ["2.2.2-1", "2.2.2-2"],
    v5: ["2.1.3-1"],
    variants: () => only(withFlags(wire.ack(Type.PUBACK, 1), 0x02)),
  },
  {
    id: "pubrec-flags",
    fault: "PUBREC with reserved fixed header flags",
    v3: ["2.2.2-1", "2.2.2-2"],
    v5: ["2.1.3-1"],
    variants: () => only(withFlags(wire.ack(Type.PUBREC, 1), 0x04)),
  },
  {
    id: "pubrel-flags",
    fault: "PUBREL with fixed header flags other than 0010",
    v3: ["3.6.1-1", "2.2.2-2"],
    v5: ["3.6.1-1", "2.1.3-1"],
    variants: () => flagVariants(wire.ack(Type.PUBREL, 1), [0, 1, 3, 6, 0x0a]),
  },
  {
    id: "pubcomp-flags",
    fault: "PUBCOMP with reserved fixed header flags",
    v3: ["2.2.2-1", "2.2.2-2"],
    v5: ["2.1.3-1"],
    variants: () => only(withFlags(wire.ack(Type.PUBCOMP, 1), 0x08)),
  },
  {
    id: "subscribe-flags",
    fault: "SUBSCRIBE with fixed header flags other than 0010",
    v3: ["3.8.1-1", "2.2.2-2"],
    v5: ["3.8.1-1", "2.1.3-1"],
    variants: (version, { topic }) => flagVariants(wire.subscribe(version, 1, [[topic, 0]]), [0, 1, 3, 0x0a]),
  },
  {
    id: "unsubscribe-flags",
    fault: "UNSUBSCRIBE with fixed header flags other than 0010",
    v3: ["3.10.1-1", "2.2.2-2"],
    v5: ["3.10.1-1", "2.1.3-1"],
    variants: (version, { topic }) => flagVariants(wire.unsubscribe(version, 1, [topic]), [0, 1, 3, 0x0a]),
  },
  {
    id: "pingreq-flags",
    fault: "PINGREQ with reserved fixed header flags",
    v3: ["2.2.2-1", "2.2.2-2"],
    v5: ["2.1.3-1"],
    variants: () => only(withFlags(wire.pingreq(), 0x01)),
  },
  {
    id: "disconnect-flags",
    fault: "DISCONNECT with reserved fixed header flags",
    v3: ["3.14.1-1", "2.2.2-2"],
    v5: ["2.1.3-1"],
    variants: () => only(withFlags(wire.disconnect(), 0x01)),
  },
  {
    id: "auth-flags",
    fault: "AUTH with reserved fixed header flags",
    v5: ["3.15.1-1", "2.1.3-1"],
    variants: () => only(withFlags(wire.auth(0x18, [["authenticationMethod", "none"]]), 0x02)),
  },
  {
    id: "type-0",
    fault: "the reserved packet type 0",
    v3: ["4.8.0-1"],
    v5: ["4.13.1-1"],
    variants: () => only(bytes(0x00, 0x00)),
  },
  {
    id: "type-15",
    fault: "the packet type 15, which 3.1.1 reserves",
    v3: ["4.8.0-1"],
    variants: () => only(bytes(0xf0, 0x00)),
  },
  {
    id: "remaining-length-5-bytes",
    fault: "a Remaining Length of five bytes",
    v3: ["4.8.0-1"],
    v5: ["4.13.1-1"],
    variants: () => only(bytes(0x30, 0x80, 0x80, 0x80, 0x80, 0x01)),
  },
  {
    id: "packet-too-short",
    fault: "a Remaining Length that ends inside a field",
    v3: ["4.8.0-1"],
    v5: ["4.13.1-1"],
    variants: () => [
      { name: "PUBLISH topic", bytes: wire.packet(0x30, uint16(10), bytes(0x61)) },
      { name: "SUBSCRIBE packet identifier", bytes: wire.packet(0x82, bytes(1)) },
      { name: "PUBACK packet identifier", bytes: wire.packet(0x40, bytes(1)) },
      { name: "UNSUBSCRIBE filter", bytes: wire.packet(0xa2, uint16(1), bytes(0), uint16(9)) },
    ],
  },
  {
    id: "packet-too-long",
    fault: "bytes after the last field",
    v3: ["4.8.0-1"],
    v5: ["4.13.1-1"],
    variants: (version) => [
      { name: "PINGREQ", bytes: wire.packet(0xc0, bytes(0)) },
      { name: "PUBREL", bytes: wire.packet(0x62, uint16(1), version === "5.0" ? bytes(0, 0, 0) : bytes(0)) },
    ],
  },
];

/** The packet with other fixed header flags. */
export function withFlags(packet: Uint8Array, flags: number): Uint8Array {
  return concat(bytes(((packet[0] ?? 0) & 0xf0) | flags), packet.subarray(1));
}

function flagVariants(packet: Uint8Array, flags: readonly number[]): { name: string; bytes: Uint8Array }[] {
  return flags.map((value) => ({
    name: `flags ${value.toString(2).padStart(4, "0")}`,
    bytes: withFlags(packet, value),
  }));
}
