import type { Packet, PacketType } from "@tidewire/codec";
import { connectPacket, publishPacket } from "./pair.ts";

/** Some well-formed packet of a type. */
export function forged(type: PacketType): Packet {
  const properties = undefined;
  switch (type) {
    case 1:
      return connectPacket();
    case 2:
      return { type, sessionPresent: false, reasonCode: 0, properties };
    case 3:
      return publishPacket({});
    case 4:
    case 5:
    case 6:
    case 7:
      return { type, packetId: 1, reasonCode: 0, properties };
    case 8:
      return {
        type,
        packetId: 1,
        subscriptions: [{ filter: "a", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
        properties,
      };
    case 9:
    case 11:
      return { type, packetId: 1, reasonCodes: [0], properties };
    case 10:
      return { type, packetId: 1, filters: ["a"], properties };
    case 12:
    case 13:
      return { type };
    case 14:
    case 15:
      return { type, reasonCode: 0, properties };
  }
}
